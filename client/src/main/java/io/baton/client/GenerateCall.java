package io.baton.client;

import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.Optional;

/**
 * One Generate call: decodes events, checks them and passes them on. The next token is asked for when the listener has
 * returned or, in a pulled call, when {@link #pull} is called, so that a slow reader slows the stream instead of
 * filling memory. gRPC calls it by one thread at a time.
 */
final class GenerateCall extends ClientCall.Listener<GenerateEvent> {

    private final ClientCall<GenerateRequest, GenerateEvent> call;
    private final GenerationListener listener;
    private final AnswerAssembly answer;
    private final boolean pulled;
    private Optional<BatonException> broken = Optional.empty(); // the stream broke its promises; its own status is moot

    private GenerateCall(
            ClientCall<GenerateRequest, GenerateEvent> call,
            GenerateSpec spec,
            GenerationListener listener,
            boolean pulled) {
        this.call = call;
        this.listener = listener;
        this.answer = new AnswerAssembly(
                spec.firstChoice(), spec.choices(), spec.emittedTokens().size());
        this.pulled = pulled;
    }

    /** A call that goes on as fast as its listener returns. */
    static GenerateCall pushed(
            ClientCall<GenerateRequest, GenerateEvent> call, GenerateSpec spec, GenerationListener listener) {
        GenerateCall generate = new GenerateCall(call, spec, listener, false);
        generate.start(spec, 1);
        return generate;
    }

    /** A call that delivers {@code readAhead} tokens, and then one more for each {@link #pull}. */
    static GenerateCall pulled(
            ClientCall<GenerateRequest, GenerateEvent> call,
            GenerateSpec spec,
            GenerationListener listener,
            int readAhead) {
        GenerateCall generate = new GenerateCall(call, spec, listener, true);
        generate.start(spec, readAhead);
        return generate;
    }

    private void start(GenerateSpec spec, int requested) {
        call.start(this, new Metadata());
        call.request(requested);
        call.sendMessage(Messages.request(spec));
        call.halfClose();
    }

    /** Asks for one more token. */
    void pull() {
        call.request(1);
    }

    /** Cancels this call and everything behind it; the listener hears CANCELLED unless it has already heard the end. */
    void cancel() {
        call.cancel("cancelled by the client", null);
    }

    @Override
    public void onMessage(GenerateEvent event) {
        if (broken.isPresent()) {
            return;
        }
        Optional<String> objection = take(event);
        if (objection.isPresent()) {
            broken = Optional.of(BatonException.protocol("the stream broke the protocol: " + objection.get()));
            call.cancel(objection.get(), null);
        } else if (!pulled || !event.hasToken()) {
            call.request(1);
        }
    }

    private Optional<String> take(GenerateEvent event) {
        return switch (event.getEventCase()) {
            case STARTED -> {
                Started started = Messages.started(event.getStarted());
                Optional<String> objection = answer.start(started);
                if (objection.isEmpty()) {
                    listener.started(started);
                }
                yield objection;
            }
            case TOKEN -> {
                GeneratedToken token = Messages.token(event.getToken());
                Optional<String> objection = answer.add(token);
                if (objection.isEmpty()) {
                    listener.token(token);
                }
                yield objection;
            }
            case FINISHED -> answer.finish(event.getFinished());
            case EVENT_NOT_SET -> Optional.empty(); // a kind of event this version does not know
        };
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
        if (broken.isPresent()) {
            listener.failed(broken.get());
        } else if (!status.isOk()) {
            listener.failed(BatonException.of(status, trailers));
        } else {
            answer.result()
                    .ifPresentOrElse(
                            listener::finished,
                            () -> listener.failed(BatonException.protocol(
                                    "the stream broke the protocol: it ended well, but without an end event")));
        }
    }
}
