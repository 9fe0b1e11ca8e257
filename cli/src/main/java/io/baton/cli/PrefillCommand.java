package io.baton.cli;

import io.baton.engine.EngineHost;
import io.baton.prefill.PrefillNode;
import io.baton.serving.Drain;
import io.baton.serving.ListenSettings;
import io.baton.serving.Settings;
import java.time.InstantSource;
import picocli.CommandLine.Command;

@Command(
        name = "prefill",
        description = {"Runs one prefill node, until Ctrl-C.", "Prints `prefill grpc HOST:PORT` when it serves."})
final class PrefillCommand extends ServiceCommand {

    PrefillCommand(Surroundings surroundings) {
        super(surroundings, RoleSettings.PREFILL);
    }

    @Override
    int run(Configuration configuration) {
        Settings settings = configuration.load(settings());
        ListenSettings listen = ListenSettings.from(settings);
        Drain drain = new Drain(settings.value(ProcessSettings.DRAIN_LIMIT), InstantSource.system());
        try (ModelChoice model = ModelChoice.of(settings);
                EngineHost host = ModelLoading.load(model, settings, surroundings(), err());
                PrefillNode node = Roles.prefill(settings, "prefill", listen, host)) {
            drain.add("prefill", node::drain);
            drain.onSignal();
            out().println(new Endpoint("prefill", "grpc", listen.host() + ":" + node.port()));
            out().flush();
            drain.await();
        }
        return 0;
    }
}
