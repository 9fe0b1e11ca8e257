package io.baton.cli;

import io.baton.serving.ListenSettings;
import io.baton.serving.telemetry.Telemetry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One port that is open: what commands print, a line each, as {@code gateway grpc 127.0.0.1:50051}. */
record Endpoint(String node, String protocol, String address) {

    /** The ports of one node. */
    static List<Endpoint> of(String node, ListenSettings listen, int port, Optional<Integer> healthPort) {
        List<Endpoint> endpoints = new ArrayList<>();
        endpoints.add(new Endpoint(node, "grpc", listen.host() + ":" + port));
        healthPort.ifPresent(health -> endpoints.add(new Endpoint(node, "health", listen.host() + ":" + health)));
        return endpoints;
    }

    /** Where the metrics of a process are, if they are anywhere. */
    static Optional<Endpoint> ofMetrics(String process, Telemetry telemetry) {
        return telemetry.metricsAddress().map(address -> new Endpoint(process, "metrics", address));
    }

    @Override
    public String toString() {
        return node + " " + protocol + " " + address;
    }
}
