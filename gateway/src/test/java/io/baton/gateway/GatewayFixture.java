package io.baton.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.StopConditions;
import io.baton.routing.CostParameters;
import io.baton.serving.Channels;
import io.baton.serving.ListenSettings;
import io.baton.serving.PeerRole;
import io.baton.serving.TlsSettings;
import io.baton.serving.telemetry.Telemetry;
import io.baton.testing.Waiting;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;

/** A gateway under test, its client's channel, and a clock that moves only when told. */
final class GatewayFixture implements AutoCloseable {

    static final Duration SOON = Duration.ofSeconds(10);

    final AtomicLong nowMillis = new AtomicLong(1_000_000);
    final GatewayNode gateway;
    final Channel channel;
    private final Channels channels = new Channels(TlsSettings.plaintext());
    private final Telemetry telemetry;

    GatewayFixture(List<String> decodeNodes, List<String> prefillNodes) {
        this(settings(decodeNodes, prefillNodes), GatewayFixture::unknown);
    }

    GatewayFixture(GatewaySettings settings, Resolver resolver) {
        this(settings, resolver, Telemetry.silent());
    }

    /** Closes the telemetry too. */
    GatewayFixture(GatewaySettings settings, Resolver resolver, Telemetry telemetry) {
        this.telemetry = telemetry;
        gateway = GatewayNode.start(
                settings,
                TestingModel.served(),
                telemetry,
                new GatewayEnvironment(
                        () -> Instant.ofEpochMilli(nowMillis.get()), System::nanoTime, new Random(1), resolver));
        channel = channels.control("127.0.0.1:" + gateway.port(), PeerRole.GATEWAY);
    }

    static GatewaySettings settings(List<String> decodeNodes, List<String> prefillNodes) {
        return GatewaySettings.of("gateway", ListenSettings.loopback(), decodeNodes, prefillNodes);
    }

    private static List<InetAddress> unknown(String host) throws UnknownHostException {
        throw new UnknownHostException(host);
    }

    /** A gateway that knows all the nodes. */
    static GatewayFixture over(ScriptedNode... decodeNodes) throws InterruptedException {
        return over(Telemetry.silent(), decodeNodes);
    }

    static GatewayFixture over(Telemetry telemetry, ScriptedNode... decodeNodes) throws InterruptedException {
        List<String> addresses =
                List.of(decodeNodes).stream().map(ScriptedNode::address).toList();
        GatewayFixture fixture = new GatewayFixture(settings(addresses, List.of()), GatewayFixture::unknown, telemetry);
        assertThat(fixture.gateway.awaitReady(SOON)).isTrue();
        addresses.forEach(address -> Waiting.until("each node is known", () -> fixture.knows(address)));
        return fixture;
    }

    boolean knows(String address) {
        return gateway.clusterSummary().contains(address + " is known");
    }

    InferenceGrpc.InferenceBlockingStub client() {
        return InferenceGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
    }

    /** What probes hear of a service; {@code ""} is the whole process. */
    ServingStatus health(String service) {
        return HealthGrpc.newBlockingStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .check(HealthCheckRequest.newBuilder().setService(service).build())
                .getStatus();
    }

    List<GenerateEvent> generate(GenerateRequest request) {
        List<GenerateEvent> events = new ArrayList<>();
        client().generate(request).forEachRemaining(events::add);
        return events;
    }

    /** How a request ends that is not answered. */
    Status refusal(GenerateRequest request) {
        try {
            List<GenerateEvent> events = generate(request);
            throw new AssertionError("expected a refusal, found " + events);
        } catch (StatusRuntimeException e) {
            return e.getStatus();
        }
    }

    static GenerateRequest request(int maxTokens) {
        return request(maxTokens, builder -> builder);
    }

    static GenerateRequest request(int maxTokens, UnaryOperator<GenerateRequest.Builder> more) {
        return more.apply(GenerateRequest.newBuilder()
                        .setText("ab ab")
                        .setStop(StopConditions.newBuilder().setMaxTokens(maxTokens)))
                .build();
    }

    static GatewaySettings withoutNoise(GatewaySettings settings) {
        CostParameters costs = CostParameters.DEFAULT;
        return settings.withCosts(new CostParameters(
                costs.prefillTokensPerSecond(),
                costs.decodeStepMicros(),
                costs.receiveBytesPerSecond(),
                costs.fetchBytesPerSecond(),
                costs.handoffMicros(),
                costs.chunkTokens(),
                costs.typicalOutputTokens(),
                costs.stepGrowth(),
                costs.disturbance(),
                0));
    }

    @Override
    public void close() {
        gateway.close();
        channels.close();
        telemetry.close();
    }
}
