package io.baton.cli;

import io.baton.engine.EngineHost;
import io.baton.prefill.PrefillNode;
import io.baton.serving.Drain;
import io.baton.serving.ListenSettings;
import io.baton.serving.Settings;
import io.baton.serving.telemetry.Telemetry;
import java.time.InstantSource;
import java.util.List;
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
        try (EngineHost host = ModelLoading.host(settings, surroundings(), err());
                Telemetry telemetry = Telemetry.start(
                        ProcessSettings.telemetry(settings, "baton-prefill", instance(listen)), List.of());
                PrefillNode node = Roles.prefill(settings, "prefill", listen, host, telemetry)) {
            flushInTheEnd(telemetry, drain);
            drain.add("prefill", node::drain);
            drain.onSignal();
            print(Endpoint.of("prefill", listen, node.port(), node.healthPort()), "prefill", telemetry);
            drain.await();
        }
        return 0;
    }
}
