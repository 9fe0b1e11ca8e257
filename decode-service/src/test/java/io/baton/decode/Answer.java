package io.baton.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.DecodeChoiceFinished;
import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeFinished;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.DecodeToken;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What a gateway gets from one Decode call. */
final class Answer implements ClientResponseObserver<DecodeRequest, DecodeEvent> {

    final List<DecodeEvent> events = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Throwable> failed = new CompletableFuture<>();
    private final CountDownLatch admitted = new CountDownLatch(1);
    private final CountDownLatch firstToken = new CountDownLatch(1);
    private final CountDownLatch over = new CountDownLatch(1);
    private final boolean reading;
    private volatile boolean impatient;
    private @Nullable ClientCallStreamObserver<DecodeRequest> call;

    private Answer(boolean reading) {
        this.reading = reading;
    }

    static Answer reading() {
        return new Answer(true);
    }

    /** A gateway that takes nothing out of the transport. */
    static Answer notReading() {
        return new Answer(false);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<DecodeRequest> requests) {
        call = requests;
        if (!reading) {
            requests.disableAutoRequestWithInitial(0);
        }
    }

    @Override
    public void onNext(DecodeEvent event) {
        events.add(event);
        if (event.hasAdmitted()) {
            admitted.countDown();
            if (impatient) {
                cancel();
            }
        }
        if (event.hasToken()) {
            firstToken.countDown();
        }
    }

    @Override
    public void onError(Throwable thrown) {
        failed.complete(thrown);
        over.countDown();
    }

    @Override
    public void onCompleted() {
        over.countDown();
    }

    void cancel() {
        if (call != null) {
            call.cancel("the test cancels", null);
        }
    }

    /** Cancels as soon as the node has admitted the request, if it does. */
    void cancelAfterAdmission() {
        impatient = true;
        if (admitted.getCount() == 0) {
            cancel();
        }
    }

    Answer awaitAdmitted() throws InterruptedException {
        assertThat(admitted.await(5, TimeUnit.SECONDS)).as("admitted").isTrue();
        return this;
    }

    Answer awaitFirstToken() throws InterruptedException {
        assertThat(firstToken.await(5, TimeUnit.SECONDS)).as("first token").isTrue();
        return this;
    }

    /** Waits for a good end and returns its event. */
    DecodeFinished finished() throws InterruptedException {
        assertThat(over.await(10, TimeUnit.SECONDS)).as("over").isTrue();
        assertThat(failed.isDone() ? failed.join() : null).isNull();
        assertThat(events.stream().filter(DecodeEvent::hasFinished)).hasSize(1);
        assertThat(events.getLast().hasFinished()).isTrue();
        return events.getLast().getFinished();
    }

    /** Waits for a bad end and returns what the gateway sees of it. */
    Throwable failure() throws InterruptedException, ExecutionException, TimeoutException {
        Throwable thrown = failed.get(10, TimeUnit.SECONDS);
        assertThat(events).noneMatch(DecodeEvent::hasFinished);
        return thrown;
    }

    Status status() throws InterruptedException, ExecutionException, TimeoutException {
        return Status.fromThrowable(failure());
    }

    List<DecodeToken> tokens() {
        return events.stream()
                .filter(DecodeEvent::hasToken)
                .map(DecodeEvent::getToken)
                .toList();
    }

    /** The tokens of one of several choices. */
    List<DecodeToken> tokens(int choice) {
        return tokens().stream().filter(token -> token.getChoice() == choice).toList();
    }

    /** All text of one of several choices, that of its end included. */
    String text(int choice) {
        StringBuilder text = new StringBuilder();
        for (DecodeEvent event : events) {
            if (event.hasToken() && event.getToken().getChoice() == choice) {
                text.append(event.getToken().getText());
            } else if (event.hasChoiceFinished() && event.getChoiceFinished().getChoice() == choice) {
                text.append(event.getChoiceFinished().getText());
            } else if (event.hasFinished() && event.getFinished().getChoice() == choice) {
                text.append(event.getFinished().getText());
            }
        }
        return text.toString();
    }

    /** The choices that ended before the last one, in that order. */
    List<DecodeChoiceFinished> choicesFinished() {
        return events.stream()
                .filter(DecodeEvent::hasChoiceFinished)
                .map(DecodeEvent::getChoiceFinished)
                .toList();
    }

    /** All text, that of the last event included. */
    String text() {
        StringBuilder text = new StringBuilder();
        events.forEach(event -> text.append(event.getToken().getText())
                .append(event.getFinished().getText()));
        return text.toString();
    }
}
