package io.baton.e2e.fault;

import io.baton.client.GenerateSpec;
import io.baton.client.Prompt;
import io.baton.proto.v1.CallContext;
import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeGrpc;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.PrefillCandidate;
import io.baton.proto.v1.PrefillMode;
import io.baton.proto.v1.StopConditions;
import io.baton.serving.Fingerprints;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A request to a decode node without a gateway, which refuses at once what it thinks cannot be in time; a node must
 * keep a deadline all the same.
 */
final class DirectDecode implements AutoCloseable {

    private final ClusterUnderTest cluster;
    private final ManagedChannel channel;

    DirectDecode(ClusterUnderTest cluster) {
        this.cluster = cluster;
        this.channel = NettyChannelBuilder.forAddress(
                        "127.0.0.1", cluster.decode(0).port())
                .usePlaintext()
                .build();
    }

    /** The status the request ends with. */
    CompletableFuture<Status> ask(GenerateSpec spec, Duration deadline) {
        DecodeRequest.Builder request = DecodeRequest.newBuilder()
                .setContext(CallContext.newBuilder()
                        .setRequestId("direct")
                        .setFallbackPolicy(FallbackPolicy.FALLBACK_POLICY_FAIL))
                .setFingerprint(Fingerprints.toProto(cluster.decode(0).engine().fingerprint()))
                .setStop(StopConditions.newBuilder()
                        .setMaxTokens(spec.maxTokens())
                        .setIgnoreEos(true))
                .setPrefillMode(
                        switch (spec.prefillMode()) {
                            case AUTO -> PrefillMode.PREFILL_MODE_AUTO;
                            case LOCAL -> PrefillMode.PREFILL_MODE_LOCAL;
                            case REMOTE -> PrefillMode.PREFILL_MODE_REMOTE;
                        })
                .addPrefillNodes(PrefillCandidate.newBuilder()
                        .setNode(cluster.prefillProxy(0).address())
                        .setEstimatedMicros(1));
        ((Prompt.Tokens) spec.prompt()).ids().forEach(request::addPromptTokenIds);
        CompletableFuture<Status> ended = new CompletableFuture<>();
        DecodeGrpc.newStub(channel)
                .withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS)
                .decode(request.build(), new StreamObserver<>() {
                    @Override
                    public void onNext(DecodeEvent event) {
                        // only the end matters
                    }

                    @Override
                    public void onError(Throwable thrown) {
                        ended.complete(Status.fromThrowable(thrown));
                    }

                    @Override
                    public void onCompleted() {
                        ended.complete(Status.OK);
                    }
                });
        return ended;
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
