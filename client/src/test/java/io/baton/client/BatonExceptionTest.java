package io.baton.client;

import static io.baton.client.ScriptedGateway.bothFinished;
import static io.baton.client.ScriptedGateway.finished;
import static io.baton.client.ScriptedGateway.started;
import static io.baton.client.ScriptedGateway.token;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import io.baton.client.BatonException.Kind;
import io.baton.proto.v1.GenerateEvent;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class BatonExceptionTest {

    private static final GenerateSpec SPEC = GenerateSpec.text("Once").build();

    @ParameterizedTest
    @CsvSource({
        "INVALID_ARGUMENT, INVALID_ARGUMENT, false",
        "NOT_FOUND, NOT_FOUND, false",
        "OUT_OF_RANGE, OUT_OF_RANGE, false",
        "UNIMPLEMENTED, UNIMPLEMENTED, false",
        "FAILED_PRECONDITION, FAILED_PRECONDITION, false",
        "PERMISSION_DENIED, PERMISSION_DENIED, false",
        "UNAUTHENTICATED, PERMISSION_DENIED, false",
        "RESOURCE_EXHAUSTED, OVERLOADED, true",
        "UNAVAILABLE, UNAVAILABLE, true",
        "DEADLINE_EXCEEDED, DEADLINE_EXCEEDED, false",
        "CANCELLED, CANCELLED, false",
        "INTERNAL, INTERNAL, false",
        "UNKNOWN, INTERNAL, false",
    })
    void everyStatusHasItsKind(Status.Code code, Kind kind, boolean retryable) throws Exception {
        Status status = Status.fromCode(code).withDescription("because");
        BatonException failure = failureOf(stream -> stream.onError(status.asRuntimeException()));
        assertThat(failure.kind()).isEqualTo(kind);
        assertThat(failure).hasMessage(code + ": because");
        assertThat(failure.isRetryable()).isEqualTo(retryable);
        assertThat(failure.retryAfter()).isEmpty();
    }

    @Test
    void anOverloadedGatewaySaysWhenToComeBack() throws Exception {
        BatonException failure = failureOf(stream ->
                stream.onError(StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                        .setCode(Status.Code.RESOURCE_EXHAUSTED.value())
                        .setMessage("full")
                        .addDetails(Any.pack(RetryInfo.newBuilder()
                                .setRetryDelay(com.google.protobuf.Duration.newBuilder()
                                        .setSeconds(2)
                                        .setNanos(5_000_000))
                                .build()))
                        .build())));
        assertThat(failure.kind()).isEqualTo(Kind.OVERLOADED);
        assertThat(failure.retryAfter()).contains(Duration.ofMillis(2005));
    }

    @Test
    void aConnectionThatBreaksWhileTheCallIsWrittenMakesTheGatewayUnavailable() {
        BatonException failed = BatonException.of(
                Status.UNKNOWN.withDescription("channel closed").withCause(new ClosedChannelException()),
                new Metadata());
        assertThat(failed.kind()).isEqualTo(BatonException.Kind.UNAVAILABLE);
        assertThat(failed).hasMessageStartingWith("UNAVAILABLE: the connection failed (channel closed)");
    }

    @Test
    void anUnknownErrorThatTheGatewayTellsIsADefectOfIts() {
        BatonException failed = BatonException.of(Status.UNKNOWN.withDescription("channel closed"), new Metadata());
        assertThat(failed.kind()).isEqualTo(BatonException.Kind.INTERNAL);
        assertThat(failed).hasMessage("UNKNOWN: channel closed");
    }

    @Test
    void aGatewayThatIsNotThereIsUnavailable() throws Exception {
        String target;
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {})) {
            target = gateway.target();
        }
        try (BatonClient client = BatonClient.connect(target);
                Generation generation = client.generate(SPEC)) {
            BatonException failure = catchThrowableOfType(BatonException.class, generation::result);
            assertThat(failure.kind()).isEqualTo(Kind.UNAVAILABLE);
            assertThatThrownBy(generation::started).isSameAs(failure);
            assertThatThrownBy(() -> client.tokenize("x")).isInstanceOf(BatonException.class);
        }
    }

    @Test
    void aStreamThatBreaksItsPromisesIsAnInternalError() throws Exception {
        assertThat(failureOf(stream -> {
                    stream.onNext(started());
                    stream.onNext(token(0, 10, "a"));
                    stream.onNext(token(2, 11, "c"));
                }))
                .hasMessageContaining("expected token 1, found 2");
        assertThat(failureOf(stream -> stream.onNext(token(0, 10, "a")))).hasMessageContaining("before the start");
        assertThat(failureOf(stream -> {
                    stream.onNext(started());
                    stream.onCompleted();
                }))
                .hasMessageContaining("without an end event");
        assertThat(failureOf(stream -> {
                    stream.onNext(started());
                    stream.onNext(finished(""));
                    stream.onNext(token(0, 10, "a"));
                }))
                .hasMessageContaining("after the end");
        assertThat(failureOf(stream -> {
                    stream.onNext(started());
                    stream.onNext(token(1, 0, 10, "a"));
                }))
                .hasMessageContaining("found a token of choice 1, expected 0 to 0")
                .extracting(BatonException::kind)
                .isEqualTo(Kind.INTERNAL);
    }

    @Test
    void severalAnswersThatDoNotAllEndAreAnInternalError() throws Exception {
        GenerateSpec spec = GenerateSpec.text("Once").choices(2).firstChoice(4).build();
        assertThat(failureOf(spec, stream -> {
                    stream.onNext(started());
                    stream.onNext(bothFinished(5, "", 5, ""));
                }))
                .hasMessageContaining("found the end of choice 5, expected 4 to 5, each once");
        assertThat(failureOf(spec, stream -> {
                    stream.onNext(started());
                    stream.onNext(finished(""));
                }))
                .hasMessageContaining("expected the ends of 2 choices, found 1");
    }

    private static BatonException failureOf(Consumer<ServerCallStreamObserver<GenerateEvent>> script) throws Exception {
        return failureOf(SPEC, script);
    }

    private static BatonException failureOf(GenerateSpec spec, Consumer<ServerCallStreamObserver<GenerateEvent>> script)
            throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(script);
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(spec)) {
            return catchThrowableOfType(BatonException.class, generation::result);
        }
    }
}
