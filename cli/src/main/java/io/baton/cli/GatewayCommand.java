package io.baton.cli;

import io.baton.gateway.GatewayNode;
import io.baton.serving.Drain;
import io.baton.serving.ListenSettings;
import io.baton.serving.Settings;
import io.baton.serving.telemetry.Telemetry;
import java.time.InstantSource;
import java.util.List;
import picocli.CommandLine.Command;

@Command(
        name = "gateway",
        description = {
            "Runs one gateway, until Ctrl-C. It needs the model for its vocabulary only.",
            "Prints `gateway grpc HOST:PORT` when it listens; its health says when it knows a decode node."
        })
final class GatewayCommand extends ServiceCommand {

    GatewayCommand(Surroundings surroundings) {
        super(surroundings, RoleSettings.GATEWAY);
    }

    @Override
    int run(Configuration configuration) {
        Settings settings = configuration.load(settings());
        ListenSettings listen = ListenSettings.from(settings);
        Drain drain = new Drain(settings.value(ProcessSettings.DRAIN_LIMIT), InstantSource.system());
        try (Telemetry telemetry = Telemetry.start(
                        ProcessSettings.telemetry(settings, "baton-gateway", instance(listen)), List.of());
                GatewayNode node = Roles.gateway(settings, listen, ModelLoading.served(settings), telemetry)) {
            flushInTheEnd(telemetry, drain);
            drain.add("gateway", node::drain);
            drain.onSignal();
            print(Endpoint.of("gateway", listen, node.port(), node.healthPort()), "gateway", telemetry);
            drain.await();
        }
        return 0;
    }
}
