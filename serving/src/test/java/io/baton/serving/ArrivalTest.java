package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeGrpc;
import io.baton.proto.v1.DecodeRequest;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ArrivalTest {

    @Test
    void aCallIsAsOldAsItsHeadersHoweverLateItIsHandled() throws Exception {
        BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
        CompletableFuture<Long> age = new CompletableFuture<>();
        long late = Duration.ofMillis(3).toNanos();
        try (GrpcServer server = GrpcServer.builder("test", ListenSettings.loopback())
                        .service(new DecodeGrpc.DecodeImplBase() {
                            @Override
                            public void decode(DecodeRequest request, StreamObserver<DecodeEvent> events) {
                                age.complete(Arrival.ageNanos());
                                events.onCompleted();
                            }
                        })
                        .executor(tasks::add)
                        .start();
                Channels channels = new Channels(TlsSettings.plaintext())) {
            DecodeGrpc.newStub(channels.control("127.0.0.1:" + server.port(), PeerRole.DECODE))
                    .decode(DecodeRequest.getDefaultInstance(), new Ignored());
            Runnable first = Objects.requireNonNull(tasks.poll(20, TimeUnit.SECONDS), "the call never came");
            long came = System.nanoTime();
            while (System.nanoTime() - came < late) {
                Thread.onSpinWait(); // every thread of the server is busy
            }
            first.run();
            while (!age.isDone()) {
                Objects.requireNonNull(tasks.poll(20, TimeUnit.SECONDS), "the call is not handled")
                        .run();
            }
            assertThat(age.join()).isGreaterThanOrEqualTo(late);
        }
        assertThat(Arrival.ageNanos()).as("outside of any call").isZero();
    }

    private static final class Ignored implements StreamObserver<DecodeEvent> {
        @Override
        public void onNext(DecodeEvent event) {}

        @Override
        public void onError(Throwable thrown) {}

        @Override
        public void onCompleted() {}
    }
}
