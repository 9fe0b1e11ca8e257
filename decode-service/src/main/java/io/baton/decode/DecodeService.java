package io.baton.decode;

import io.baton.engine.Engine;
import io.baton.kv.SequenceFingerprint;
import io.baton.kv.SequenceRoot;
import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeGrpc;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.Reason;
import io.baton.serving.Arrival;
import io.baton.serving.Fingerprints;
import io.baton.text.Tokenizer;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** {@code baton.v1.Decode}: checks a request, refuses it by name or makes it a {@link DecodeCall}. Thread-safe. */
final class DecodeService extends DecodeGrpc.DecodeImplBase {

    private final Engine engine;
    private final SequenceFingerprint fingerprint;
    private final byte[] fingerprintDigest;
    private final Tokenizer tokenizer;
    private final PromptPrefill prefill;
    private final Executor threads;
    private final LongSupplier nanos;
    private final int maxBufferedEvents;
    private final DecodeTelemetry telemetry;
    private volatile String address;

    private final Object calls = new Object();
    private int open; // guarded by calls
    private boolean draining; // guarded by calls

    DecodeService(
            Engine engine,
            Tokenizer tokenizer,
            PromptPrefill prefill,
            Executor threads,
            LongSupplier nanos,
            int maxBufferedEvents,
            DecodeTelemetry telemetry,
            String address) {
        this.engine = engine;
        this.fingerprint = engine.fingerprint();
        this.fingerprintDigest = fingerprint.digest();
        this.tokenizer = tokenizer;
        this.prefill = prefill;
        this.threads = threads;
        this.nanos = nanos;
        this.maxBufferedEvents = maxBufferedEvents;
        this.telemetry = telemetry;
        this.address = address;
    }

    /** How routes name this node. */
    void address(String hostAndPort) {
        this.address = hostAndPort;
    }

    @Override
    public void decode(DecodeRequest request, StreamObserver<DecodeEvent> responses) {
        FirstTokenTimes times = new FirstTokenTimes(nanos, Arrival.ageNanos());
        requireSameFunction(request);
        int vocabulary = Math.min(engine.shape().vocabularySize(), tokenizer.vocabularySize());
        DecodeOrder order =
                DecodeOrder.of(request, vocabulary, engine.shape().contextLength(), tokenizer.endOfSequence());
        List<ChoiceOutput> outputs = order.choices().stream()
                .map(known -> ChoiceOutput.replayed(order, known, tokenizer))
                .toList();
        ServerCallStreamObserver<DecodeEvent> observer = (ServerCallStreamObserver<DecodeEvent>) responses;
        enter();
        EventStream events = new EventStream(observer, threads, maxBufferedEvents, this::leave);
        DecodeCall call = new DecodeCall(
                order,
                SequenceRoot.of(
                        fingerprintDigest,
                        request.getAdapter(),
                        order.context().getEffectiveSalt().toByteArray(),
                        SequenceRoot.LOSSLESS),
                engine,
                prefill,
                threads,
                outputs,
                events,
                new RouteRecord(address, engine.shape().layers(), order.prompt().length),
                times,
                telemetry);
        observer.setOnCancelHandler(call::cancelled);
        try {
            call.start();
        } catch (RuntimeException e) {
            events.abandon();
            throw e;
        }
    }

    /** Refuses new calls from now on. */
    void drain() {
        synchronized (calls) {
            draining = true;
        }
    }

    /** Waits until no call is open; false when {@code limit} came first. */
    boolean awaitIdle(Duration limit) throws InterruptedException {
        long deadline = nanos.getAsLong() + limit.toNanos();
        synchronized (calls) {
            while (open > 0) {
                long left = deadline - nanos.getAsLong();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(calls, left);
            }
            return true;
        }
    }

    private void enter() {
        synchronized (calls) {
            if (draining) {
                throw Refusals.draining();
            }
            open++;
        }
    }

    private void leave() {
        synchronized (calls) {
            open--;
            calls.notifyAll();
        }
    }

    private void requireSameFunction(DecodeRequest request) {
        SequenceFingerprint wanted;
        try {
            wanted = Fingerprints.fromProto(request.getFingerprint());
        } catch (IllegalArgumentException e) {
            throw Refusals.of(
                    Status.FAILED_PRECONDITION.withDescription(e.getMessage()).withCause(e),
                    Reason.REASON_FINGERPRINT_MISMATCH);
        }
        fingerprint.differenceFrom(wanted).ifPresent(difference -> {
            throw Refusals.of(
                    Status.FAILED_PRECONDITION.withDescription("this node computes another function: " + difference),
                    Reason.REASON_FINGERPRINT_MISMATCH);
        });
    }
}
