package io.baton.transfer;

import io.baton.kv.BlockHash;
import io.baton.proto.v1.FetchRequest;
import io.baton.proto.v1.PrefillControl;
import io.baton.proto.v1.PrefillStart;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The sending node of transport tests: answers each call with a {@link KvSender} that a test's script drives. */
final class TestingPrefill {

    private final Executor senders;
    volatile Timing timing;
    volatile TransferShape shape = TransferShape.of(1, 1, 1, 1);
    volatile @Nullable List<BlockHash> hashes;
    volatile Consumer<KvSender> script = sender -> {};
    volatile TestingSendListener listener = new TestingSendListener();
    volatile CompletableFuture<KvSender> opened = new CompletableFuture<>();

    TestingPrefill(Executor senders, Timing timing) {
        this.senders = senders;
        this.timing = timing;
    }

    List<ServerServiceDefinition> services() {
        ServerCallHandler<PrefillControl, OutgoingFrame> prefill = (call, headers) -> {
            call.request(3);
            return new Listener<PrefillControl>() {
                @Override
                public void onMessage(PrefillControl message) {
                    switch (message.getControlCase()) {
                        case START -> start(call, message.getStart());
                        case GRANT -> sender().granted();
                        case ACK -> sender().acknowledged();
                        case CONTROL_NOT_SET -> throw new IllegalStateException("empty control message");
                    }
                }

                private void start(ServerCall<PrefillControl, OutgoingFrame> call, PrefillStart start) {
                    VerifiedBlocks held = new VerifiedBlocks(
                            start.getVerifiedBlocks(),
                            start.getVerifiedBlocksByLayerList().stream()
                                    .mapToInt(i -> i)
                                    .toArray());
                    open(
                            call,
                            new Handoff(start.getHandoffId(), start.getContext().getAttempt()),
                            held,
                            SendPlan.Kind.PREFILL);
                }
            };
        };
        ServerCallHandler<FetchRequest, OutgoingFrame> fetch = (call, headers) -> {
            call.request(2);
            return new Listener<FetchRequest>() {
                @Override
                public void onMessage(FetchRequest request) {
                    open(
                            call,
                            new Handoff(
                                    request.getHandoffId(), request.getContext().getAttempt()),
                            VerifiedBlocks.whole(request.getFirstBlock(), shape.layers()),
                            SendPlan.Kind.FETCH);
                }
            };
        };
        return List.of(PrefillMethod.service(prefill), FetchMethod.service(fetch));
    }

    private abstract class Listener<T> extends ServerCall.Listener<T> {

        private @Nullable KvSender sender;

        KvSender sender() {
            if (sender == null) {
                throw new IllegalStateException("no start yet");
            }
            return sender;
        }

        void open(ServerCall<?, OutgoingFrame> call, Handoff handoff, VerifiedBlocks held, SendPlan.Kind kind) {
            List<BlockHash> chosen = hashes;
            SendPlan plan =
                    new SendPlan(handoff, shape, chosen == null ? TestingBlocks.hashes(shape) : chosen, held, 1, kind);
            listener = new TestingSendListener();
            KvSender started = KvSender.open(call, plan, senders, timing, listener);
            sender = started;
            script.accept(started);
            opened.complete(started);
        }

        @Override
        public void onReady() {
            if (sender != null) {
                sender.ready();
            }
        }

        @Override
        public void onCancel() {
            if (sender != null) {
                sender.cancelled();
            }
        }
    }
}
