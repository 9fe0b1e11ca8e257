package io.baton.gateway;

import static io.baton.gateway.GatewayFixture.SOON;
import static io.baton.gateway.GatewayFixture.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeToken;
import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.TokenIds;
import io.baton.testing.Waiting;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class StreamTest {

    @Test
    void aClientThatCancelsReachesTheDecodeNodeAtOnce() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(call -> call.token(0, 100));
                GatewayFixture fixture = GatewayFixture.over(node)) {
            Context.CancellableContext client = Context.current().withCancellation();
            client.run(() -> {
                Iterator<GenerateEvent> stream = fixture.client().generate(request(9));
                stream.next();
                stream.next();
            });
            ScriptedNode.Call call = node.calls.take();
            assertThat(call.cancelled().getCount()).isEqualTo(1);
            client.cancel(null);
            assertThat(call.cancelled().await(5, TimeUnit.SECONDS)).isTrue();
            Waiting.until("no request is in flight", () -> fixture.gateway.inFlight() == 0);
        }
    }

    @Test
    void theCallersDeadlineIsTheDecodeNodesDeadline() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(call -> {});
                GatewayFixture fixture = GatewayFixture.over(node)) {
            try {
                InferenceGrpc.newBlockingStub(fixture.channel)
                        .withDeadlineAfter(400, TimeUnit.MILLISECONDS)
                        .generate(request(2))
                        .forEachRemaining(_ -> {});
                throw new AssertionError("expected the deadline to pass");
            } catch (io.grpc.StatusRuntimeException e) {
                assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            }
            ScriptedNode.Call call = node.calls.take();
            assertThat(call.context().getDeadline()).isNotNull();
            assertThat(call.cancelled().await(5, TimeUnit.SECONDS)).isTrue();
            Waiting.until("no request is in flight", () -> fixture.gateway.inFlight() == 0);
        }
    }

    /** 4,000 tokens of 16 KiB are 64 MiB: far more than all windows on the way hold together. */
    @Test
    void aSlowClientSlowsItsDecodeStreamAndNothingPilesUp() throws Exception {
        int tokens = 4_000;
        String text = "x".repeat(16 << 10);
        AtomicInteger sent = new AtomicInteger();
        CountDownLatch stopped = new CountDownLatch(1);
        try (ScriptedNode node = ScriptedNode.decode(call -> call.events().setOnReadyHandler(() -> {
                    while (sent.get() < tokens && call.events().isReady()) {
                        call.events()
                                .onNext(DecodeEvent.newBuilder()
                                        .setToken(DecodeToken.newBuilder()
                                                .setIndex(sent.get())
                                                .setText(text))
                                        .build());
                        if (sent.incrementAndGet() == tokens) {
                            call.finish(tokens);
                        }
                    }
                    stopped.countDown();
                }));
                GatewayFixture fixture = new GatewayFixture(
                        GatewayFixture.settings(java.util.List.of(node.address()), java.util.List.of()),
                        host -> java.util.List.of())) {
            assertThat(fixture.gateway.awaitReady(SOON)).isTrue();
            ClientCall<GenerateRequest, GenerateEvent> call =
                    fixture.channel.newCall(InferenceGrpc.getGenerateMethod(), CallOptions.DEFAULT);
            SlowClient client = new SlowClient(call);
            client.start(request(
                    0, builder -> builder.setTokenIds(TokenIds.newBuilder().addIds(1))));
            assertThat(stopped.await(10, TimeUnit.SECONDS)).isTrue();
            untilStill(sent);
            assertThat(sent.get())
                    .as("tokens sent by the decode node while the client reads none")
                    .isLessThan(600);
            call.request(1);
            assertThat(client.ended.get(30, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.OK);
            assertThat(client.received).isEqualTo(tokens);
        }
    }

    /** Waits until the count has not moved for a while. */
    private static void untilStill(AtomicInteger count) {
        int[] last = {-1};
        long[] since = {System.nanoTime()};
        Waiting.until("the count stands still", () -> {
            if (count.get() != last[0]) {
                last[0] = count.get();
                since[0] = System.nanoTime();
            }
            return System.nanoTime() - since[0] > 400_000_000;
        });
    }

    /** Reads nothing until asked to, then one event at a time. */
    private static final class SlowClient extends ClientCall.Listener<GenerateEvent> {

        final CompletableFuture<Status> ended = new CompletableFuture<>();
        private final ClientCall<GenerateRequest, GenerateEvent> call;
        int received;

        SlowClient(ClientCall<GenerateRequest, GenerateEvent> call) {
            this.call = call;
        }

        void start(GenerateRequest request) {
            call.start(this, new Metadata());
            call.sendMessage(request);
            call.halfClose();
        }

        @Override
        public void onMessage(GenerateEvent event) {
            if (event.hasToken()) {
                received++;
            }
            call.request(1);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            ended.complete(status);
        }
    }

    @Test
    void drainingRefusesNewRequestsAndFinishesRunningOnes() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        try (ScriptedNode node = ScriptedNode.decode(call -> {
                    call.token(0, 100);
                    await(go);
                    call.token(1, 101);
                    call.finish(2);
                });
                GatewayFixture fixture = GatewayFixture.over(node)) {
            Iterator<GenerateEvent> running = fixture.client().generate(request(2));
            running.next();
            running.next();
            CompletableFuture<Boolean> drained =
                    CompletableFuture.supplyAsync(() -> fixture.gateway.drain(Duration.ofSeconds(20)));
            Waiting.until("the drain has begun", () -> fixture.health("") == ServingStatus.NOT_SERVING);
            Status refused = fixture.refusal(request(1));
            assertThat(refused.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(refused.getDescription()).contains("draining");
            assertThat(drained).isNotDone();
            go.countDown();
            int events = 0;
            while (running.hasNext()) {
                running.next();
                events++;
            }
            assertThat(events).isEqualTo(2);
            assertThat(drained.get(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
