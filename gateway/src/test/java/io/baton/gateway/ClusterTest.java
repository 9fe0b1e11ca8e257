package io.baton.gateway;

import static io.baton.gateway.GatewayFixture.SOON;
import static io.baton.gateway.GatewayFixture.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.testing.Waiting;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingDeque;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ClusterTest {

    @Test
    void healthIsServingOnlyWhileADecodeNodeTakesWork() throws InterruptedException {
        ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
        try (GatewayFixture fixture = new GatewayFixture(List.of("127.0.0.1:1", node.address()), List.of())) {
            assertThat(fixture.gateway.awaitReady(SOON)).isTrue();
            Waiting.until("it serves", () -> fixture.health("baton.v1.Inference") == ServingStatus.SERVING);
            node.drain();
            Waiting.until("it does not serve", () -> fixture.health("baton.v1.Inference") == ServingStatus.NOT_SERVING);
            assertThat(fixture.refusal(request(1)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        } finally {
            node.close();
        }
    }

    @Test
    void aNodeThatComesBackAtItsAddressIsUsedAgain() throws InterruptedException {
        ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
        try (GatewayFixture fixture = GatewayFixture.over(node)) {
            int port = node.port();
            node.close();
            Waiting.until("no decode node is known", () -> !fixture.gateway.isReady());
            try (ScriptedNode again = ScriptedNode.start(
                    new io.baton.serving.ListenSettings(
                            "127.0.0.1", port, java.util.Optional.empty(), io.baton.serving.TlsSettings.plaintext()),
                    io.baton.proto.v1.Role.ROLE_DECODE,
                    TestingModel.fingerprint(),
                    ScriptedNode.Call::answer)) {
                Waiting.until("a decode node is known", fixture.gateway::isReady);
                assertThat(fixture.generate(request(2))).hasSize(4);
                assertThat(again.calls).hasSize(1);
            }
        }
    }

    @Test
    void dnsOnlyAddsAndANodeLeavesWhenItIsOmittedAndDown() throws Exception {
        ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
        BlockingDeque<List<InetAddress>> answer = new LinkedBlockingDeque<>(List.of(List.of())); // the last one counts
        AtomicInteger asked = new AtomicInteger();
        GatewaySettings plain = GatewayFixture.settings(List.of("decode.test:" + node.port()), List.of());
        GatewaySettings eager = new GatewaySettings(
                plain.name(),
                plain.listen(),
                plain.decodeNodes(),
                List.of(),
                Duration.ofMillis(20),
                10,
                10,
                plain.clusterKey(),
                plain.tenantHeader(),
                plain.sharingGroupHeader(),
                plain.costs());
        try (GatewayFixture fixture = new GatewayFixture(eager, host -> {
            asked.incrementAndGet();
            if (answer.getLast().isEmpty()) {
                throw new UnknownHostException(host);
            }
            return answer.getLast();
        })) {
            assertThat(fixture.gateway.clusterSummary()).contains("host names have not resolved");
            answer.add(List.of(InetAddress.getByAddress(new byte[] {127, 0, 0, 1})));
            assertThat(fixture.gateway.awaitReady(SOON)).isTrue();

            answer.add(List.of()); // DNS fails: nothing changes
            pollsPass(asked);
            assertThat(fixture.gateway.isReady()).isTrue();

            answer.add(List.of(InetAddress.getByAddress(new byte[] {127, 0, 0, 9}))); // omitted, but up
            pollsPass(asked);
            assertThat(fixture.generate(request(1))).hasSize(3);

            node.close(); // omitted and down
            Waiting.until(
                    "the node is forgotten",
                    () -> !fixture.gateway.clusterSummary().contains("127.0.0.1:"));
            assertThat(fixture.gateway.clusterSummary()).contains("127.0.0.9");
        } finally {
            node.close();
        }
    }

    private static void pollsPass(AtomicInteger asked) {
        int before = asked.get();
        Waiting.until("it was asked again", () -> asked.get() >= before + 3);
    }
}
