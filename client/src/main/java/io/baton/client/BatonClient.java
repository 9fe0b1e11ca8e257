package io.baton.client;

import io.baton.proto.v1.GetModelRequest;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.TokenizeRequest;
import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a gateway. Dials lazily and stays connected; close it when done. Failures are
 * {@link BatonException}s; no call is retried behind the caller's back. A gateway that has gone without a word is
 * noticed after 15 s, by a ping that it does not answer: calls then fail with {@link BatonException.Kind#UNAVAILABLE}.
 */
public final class BatonClient implements AutoCloseable {

    private static final int MESSAGE_BYTES = 16 << 20; // the echoed ids of a prompt of a million tokens, with room
    // As between the servers. Without calls nothing is pinged: what is in between may not like it.
    private static final int KEEP_ALIVE_SECONDS = 10;
    private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 5;

    private final ManagedChannel channel;
    private final Optional<Duration> deadline;

    private BatonClient(ManagedChannel channel, Optional<Duration> deadline) {
        this.channel = channel;
        this.deadline = deadline;
    }

    /** A plaintext client of {@code host:port} without deadlines. */
    public static BatonClient connect(String target) {
        return to(target).build();
    }

    /** @param target {@code host:port} or a gRPC target */
    public static Builder to(String target) {
        return new Builder(target);
    }

    /** Generates; the tokens are read from what is returned, which must be closed. Returns at once. */
    public Generation generate(GenerateSpec spec) {
        return new Generation(listener -> GenerateCall.pulled(
                channel.newCall(InferenceGrpc.getGenerateMethod(), options(spec.deadline())),
                spec,
                listener,
                Generation.READ_AHEAD));
    }

    /** Generates and tells a listener. Returns at once; run what is returned, from any thread, to cancel. */
    public Runnable generate(GenerateSpec spec, GenerationListener listener) {
        return GenerateCall.pushed(
                channel.newCall(InferenceGrpc.getGenerateMethod(), options(spec.deadline())), spec, listener)::cancel;
    }

    /** Token ids of a text, as {@link #generate} would compute them. */
    public List<Integer> tokenize(String text) {
        TokenizeRequest request = TokenizeRequest.newBuilder().setText(text).build();
        return unary(() -> stub().tokenize(request).getTokenIdsList());
    }

    /** Token ids of a text that goes on after other tokens: no begin-of-sequence token in front. */
    public List<Integer> tokenizeContinuation(String text) {
        TokenizeRequest request =
                TokenizeRequest.newBuilder().setText(text).setOmitBos(true).build();
        return unary(() -> stub().tokenize(request).getTokenIdsList());
    }

    /** What is served. */
    public ModelDescription model() {
        return unary(() -> Messages.model(stub().getModel(GetModelRequest.getDefaultInstance())));
    }

    private InferenceGrpc.InferenceBlockingStub stub() {
        InferenceGrpc.InferenceBlockingStub stub = InferenceGrpc.newBlockingStub(channel);
        return deadline.isPresent() ? stub.withDeadlineAfter(deadline.get()) : stub;
    }

    private CallOptions options(Optional<Duration> ofCall) {
        return ofCall.or(() -> deadline)
                .map(time -> CallOptions.DEFAULT.withDeadlineAfter(time.toNanos(), TimeUnit.NANOSECONDS))
                .orElse(CallOptions.DEFAULT);
    }

    private static <T> T unary(Supplier<T> call) {
        try {
            return call.get();
        } catch (StatusRuntimeException e) {
            Metadata trailers = Status.trailersFromThrowable(e);
            throw BatonException.of(e.getStatus(), trailers == null ? new Metadata() : trailers);
        }
    }

    /** Cancels what is running and disconnects. */
    @Override
    public void close() {
        channel.shutdownNow();
    }

    /** Not safe for concurrent use. */
    public static final class Builder {
        private final String target;
        private ChannelCredentials credentials = InsecureChannelCredentials.create();
        private Optional<Duration> deadline = Optional.empty();
        private @Nullable String authority;

        private Builder(String target) {
            this.target = target;
        }

        /** TLS; the gateway's certificate must be signed by one of these. */
        public Builder tls(Path trust) {
            try {
                credentials = TlsChannelCredentials.newBuilder()
                        .trustManager(trust.toFile())
                        .build();
            } catch (IOException e) {
                throw new UncheckedIOException("trusted certificates cannot be read from " + trust, e);
            }
            return this;
        }

        /** Mutual TLS: also shows a PEM certificate chain with its PKCS#8 key. */
        public Builder tls(Path trust, Path certificate, Path key) {
            try {
                credentials = TlsChannelCredentials.newBuilder()
                        .trustManager(trust.toFile())
                        .keyManager(certificate.toFile(), key.toFile())
                        .build();
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "TLS files cannot be read: %s, %s, %s".formatted(trust, certificate, key), e);
            }
            return this;
        }

        /** The name that the gateway's certificate must carry, when it is not the target's host. */
        public Builder authority(String name) {
            this.authority = name;
            return this;
        }

        /** For calls that say nothing else. Without one, calls may take as long as they like. */
        public Builder deadline(Duration deadline) {
            this.deadline = Optional.of(deadline);
            return this;
        }

        public BatonClient build() {
            NettyChannelBuilder builder = NettyChannelBuilder.forTarget(target, credentials)
                    .disableRetry()
                    .maxInboundMessageSize(MESSAGE_BYTES)
                    .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                    .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
            if (authority != null) {
                builder.overrideAuthority(authority);
            }
            return new BatonClient(builder.build(), deadline);
        }
    }
}
