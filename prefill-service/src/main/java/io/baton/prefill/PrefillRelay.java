package io.baton.prefill;

import io.baton.engine.Engine;
import io.baton.engine.EngineException;
import io.baton.engine.KvUnits;
import io.baton.engine.PrefillHandle;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillTimes;
import io.baton.transfer.KvSender;
import io.baton.transfer.SendListener;
import io.baton.transfer.SenderTimes;
import io.grpc.Status;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Joins one prefill of the engine with the sender of its blocks. What the engine says on its scheduler thread goes to
 * the sender; when the sender reads no unit any more, the prefill is cancelled unless it has ended, and its blocks are
 * let go.
 */
final class PrefillRelay implements PrefillListener, SendListener {

    private static final Logger LOG = LoggerFactory.getLogger(PrefillRelay.class);

    private final PrefillService service;
    private final PrefillOrder order;
    private final PrefillTrace trace;
    private final CompletableFuture<KvSender> sender = new CompletableFuture<>();
    private final CompletableFuture<PrefillHandle> prefill = new CompletableFuture<>();
    private volatile boolean computed;

    /** Created in the request's gRPC context, whose trace it continues. */
    PrefillRelay(PrefillService service, PrefillOrder order) {
        this.service = service;
        this.order = order;
        this.trace = service.telemetry()
                .request(order.request().tokens().length, order.plan().shape().layers());
    }

    /** Asks the engine, and hands its answers to {@code opened} from here on. */
    void begin(KvSender opened, Engine engine) {
        sender.complete(opened);
        try {
            prefill.complete(engine.prefill(order.request(), this));
        } catch (RuntimeException e) {
            prefill.completeExceptionally(e); // nothing to cancel and nothing to let go
            Refusal refusal = Refusal.defect(e);
            opened.failed(refusal.status(), refusal.trailers());
        }
    }

    void granted() {
        trace.sending();
        sender().granted();
    }

    void acknowledged() {
        trace.acknowledged();
        sender().acknowledged();
    }

    void ready() {
        sender().ready();
    }

    void cancelled() {
        sender().cancelled();
    }

    /** Ends the stream and with it the prefill. */
    void refuse(Refusal refusal) {
        sender().failed(refusal.status(), refusal.trailers());
    }

    private KvSender sender() {
        return sender.join(); // complete before anyone knows this relay
    }

    @Override
    public void queued(int requestsAhead) {
        sender().queued(requestsAhead);
    }

    @Override
    public void started(int cachedBlocks, KvUnits units) {
        trace.computing(cachedBlocks * order.plan().shape().blockTokens());
        sender().started(cachedBlocks, (layer, block) -> {
            trace.sent(layer);
            return units.unit(layer, block);
        });
    }

    @Override
    public void layerFinished(int layer, int firstToken, int endToken) {
        trace.computed(layer);
        sender().layerReady(layer, firstToken, endToken);
    }

    @Override
    public void chunkFinished(int tokensDone) {
        sender().tokensDone(tokensDone);
    }

    @Override
    public void finished(float[] hidden, PrefillTimes times) {
        computed = true;
        trace.computed(times);
        sender().finished(hidden, new SenderTimes(times.queued(), times.prefixLookup(), times.compute()));
    }

    @Override
    public void failed(EngineException cause) {
        computed = true;
        refuse(Refusal.of(cause));
    }

    @Override
    public void released() {
        var _ = prefill.thenAccept(handle -> {
            if (!computed) {
                handle.cancel(EngineException.Kind.CANCELLED, order.owner() + ": its stream has ended");
            }
            handle.release();
        });
    }

    @Override
    public void ended(Status status, int units, long bytes) {
        LOG.debug("{} ended with {} after {} units, {} bytes", order.owner(), status.getCode(), units, bytes);
        if (status.getCode() == Status.Code.INTERNAL) {
            LOG.error("{} failed: {}", order.owner(), status.getDescription(), status.getCause());
        }
        trace.ended(status, units, bytes);
        service.leave();
    }
}
