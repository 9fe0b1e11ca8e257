package io.baton.cli;

import io.baton.decode.DecodeNode;
import io.baton.engine.EngineHost;
import io.baton.serving.Drain;
import io.baton.serving.ListenSettings;
import io.baton.serving.Settings;
import io.baton.serving.telemetry.Telemetry;
import java.time.InstantSource;
import java.util.List;
import picocli.CommandLine.Command;

@Command(
        name = "decode",
        description = {"Runs one decode node, until Ctrl-C.", "Prints `decode grpc HOST:PORT` when it serves."})
final class DecodeCommand extends ServiceCommand {

    DecodeCommand(Surroundings surroundings) {
        super(surroundings, RoleSettings.DECODE);
    }

    @Override
    int run(Configuration configuration) {
        Settings settings = configuration.load(settings());
        ListenSettings listen = ListenSettings.from(settings);
        Drain drain = new Drain(settings.value(ProcessSettings.DRAIN_LIMIT), InstantSource.system());
        try (EngineHost host = ModelLoading.host(settings, surroundings(), err());
                Telemetry telemetry = Telemetry.start(
                        ProcessSettings.telemetry(settings, "baton-decode", instance(listen)), List.of());
                DecodeNode node = Roles.decode(
                        settings,
                        "decode",
                        listen,
                        host,
                        ModelLoading.served(settings).tokenizer(),
                        telemetry)) {
            flushInTheEnd(telemetry, drain);
            drain.add("decode", node::drain);
            drain.onSignal();
            print(Endpoint.of("decode", listen, node.port(), node.healthPort()), "decode", telemetry);
            drain.await();
        }
        return 0;
    }
}
