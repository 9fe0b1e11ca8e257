package io.baton.cli;

import io.baton.serving.ListenSettings;
import io.baton.serving.Settings;
import java.io.PrintWriter;

/** One port that is open: what commands print, a line each, as {@code gateway grpc 127.0.0.1:50051}. */
record Endpoint(String node, String protocol, String address) {

    /** Prints the ports of a process with one node. */
    static void print(PrintWriter out, String node, ListenSettings listen, int port, Settings settings) {
        out.println(new Endpoint(node, "grpc", listen.host() + ":" + port));
        listen.healthPort()
                .filter(health -> health != 0) // a free one is named in the log
                .ifPresent(health -> out.println(new Endpoint(node, "health", listen.host() + ":" + health)));
        printMetrics(out, node, settings);
        out.flush();
    }

    /** Prints where metrics are, if they are anywhere. */
    static void printMetrics(PrintWriter out, String node, Settings settings) {
        String host = settings.value(ProcessSettings.METRICS_HOST);
        settings.value(ProcessSettings.METRICS_PORT)
                .ifPresent(port -> out.println(new Endpoint(node, "metrics", host + ":" + port)));
    }

    @Override
    public String toString() {
        return node + " " + protocol + " " + address;
    }
}
