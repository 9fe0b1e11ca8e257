package io.baton.cli;

import io.baton.engine.EngineHost;
import io.baton.serving.Drain;
import io.baton.serving.Settings;
import io.baton.serving.telemetry.Telemetry;
import java.time.InstantSource;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "up",
        description = {
            "Runs a gateway, prefill nodes and decode nodes in one process, until Ctrl-C.",
            "Prints a line per port when ready; the first is `gateway grpc HOST:PORT`."
        })
final class UpCommand extends ServiceCommand {

    @Option(names = "--prefill", paramLabel = "N", defaultValue = "1", description = "Prefill nodes (default: 1)")
    private int prefill;

    @Option(names = "--decode", paramLabel = "N", defaultValue = "1", description = "Decode nodes (default: 1)")
    private int decode;

    UpCommand(Surroundings surroundings) {
        super(surroundings, RoleSettings.LOCAL_CLUSTER);
    }

    @Override
    int run(Configuration configuration) throws Exception {
        NodeCounts.check(spec(), prefill, decode);
        Settings settings = configuration.load(settings());
        Drain drain = new Drain(settings.value(ProcessSettings.DRAIN_LIMIT), InstantSource.system());
        try (EngineHost host = ModelLoading.host(settings, surroundings(), err());
                Telemetry telemetry = Telemetry.start(ProcessSettings.telemetry(settings, "baton", "up"), List.of());
                LocalCluster cluster = LocalCluster.start(
                        configuration, ModelLoading.served(settings), host, telemetry, prefill, decode)) {
            flushInTheEnd(telemetry, drain);
            cluster.addTo(drain);
            drain.onSignal();
            print(cluster.endpoints(), "up", telemetry);
            drain.await();
        }
        return 0;
    }
}
