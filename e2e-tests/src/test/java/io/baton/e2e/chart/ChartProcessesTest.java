package io.baton.e2e.chart;

import static io.baton.e2e.chart.HelmChart.container;
import static io.baton.e2e.chart.HelmChart.object;
import static io.baton.e2e.chart.HelmChart.pod;
import static io.baton.e2e.chart.HelmChart.render;
import static io.baton.e2e.chart.HelmChart.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the chart starts really serves: its commands, environment and probes, as processes on loopback. */
class ChartProcessesTest {

    private static final Map<String, String> ADDRESSES =
            Map.of("prefill", "127.0.0.2", "decode", "127.0.0.3", "gateway", "127.0.0.4");

    @TempDir
    private Path folder = Path.of("");

    @Test
    void theChartsProcessesGenerateTextAndDrain() throws Exception {
        assumeThat(System.getProperty("os.name"))
                .as("all of 127.0.0.0/8 is loopback")
                .isEqualTo("Linux");
        List<JsonNode> objects = render("""
                ports: {grpc: %1$d, health: %2$d, metrics: %3$d}
                gateway: {service: {port: %1$d}}
                drain: {seconds: 12}
                """.formatted(freePort(), freePort(), freePort()));
        List<LoopbackPod> pods = new ArrayList<>();
        try {
            for (String role : List.of("prefill", "decode", "gateway")) {
                pods.add(start(objects, role, container(objects, role)));
            }
            for (LoopbackPod pod : pods) {
                pod.awaitProbe("startupProbe");
                pod.awaitProbe("livenessProbe");
                pod.awaitProbe("readinessProbe");
            }
            try (LoopbackPod test = start(
                    objects,
                    "gateway",
                    object(objects, "Pod", "demo-baton-test").at("/spec/containers/0"))) {
                assertThat(test.exitCode(60)).as(test.output()).isZero();
                List<String> lines = test.output()
                        .lines()
                        .filter(line -> line.startsWith("{"))
                        .toList();
                JsonNode result = JsonMapper.shared().readTree(lines.getLast());
                assertThat(result.get("outputTokens").asInt()).isEqualTo(16).isEqualTo(lines.size() - 1);
            }
            pods.forEach(LoopbackPod::terminate);
            int grace = pod(objects, "gateway")
                    .at("/spec/terminationGracePeriodSeconds")
                    .asInt();
            for (LoopbackPod pod : pods) {
                assertThat(pod.exitCode(grace)).as(pod.output()).isZero();
            }
        } finally {
            pods.forEach(LoopbackPod::close);
        }
    }

    private LoopbackPod start(List<JsonNode> objects, String role, JsonNode container) throws IOException {
        String key = text(object(objects, "Secret", "demo-baton-cluster-key"), "/stringData/cluster-key");
        Map<String, String> names = Map.of(
                "demo-baton-prefill.llm.svc", address("prefill"),
                "demo-baton-decode.llm.svc", address("decode"),
                "demo-baton-gateway", address("gateway"));
        return LoopbackPod.start(container, address(role), names, Map.of("cluster-key", key), folder);
    }

    private static String address(String role) {
        return ADDRESSES.getOrDefault(role, "");
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(address("gateway")))) {
            return socket.getLocalPort();
        }
    }
}
