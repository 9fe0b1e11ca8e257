package io.baton.transfer;

import io.grpc.ServerCall;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;

/** Writes one stream's frames into its call, numbered and checksummed. One thread at a time. */
final class FrameStream {

    private final ServerCall<?, OutgoingFrame> call;
    private final SendPlan plan;
    private final TransferShape shape;
    private final FrameEncoder encoder;
    private final FrameHeader header = new FrameHeader();
    private final OutgoingFrame frame = new OutgoingFrame();
    private final UnitChecksums sent;
    private int nextSequenceNumber;

    FrameStream(ServerCall<?, OutgoingFrame> call, SendPlan plan) {
        this.call = call;
        this.plan = plan;
        this.shape = plan.shape();
        this.encoder = new FrameEncoder(shape);
        this.sent = new UnitChecksums(shape);
    }

    /** Units sent so far. */
    int units() {
        return sent.count();
    }

    void progress(ProgressReport report) {
        begin(FrameHeader.PROGRESS);
        header.hasProgress = true;
        header.phase = report.phase().wireNumber();
        header.queuePosition = report.queuePosition();
        header.tokensDone = report.tokensDone();
        header.tokensTotal = report.tokensTotal();
        header.progressCachedTokens = report.cachedTokens();
        header.wireVersion = report.wireVersion();
        encoder.encode(header, new float[0], frame);
        send();
    }

    /** {@code count} units of {@code layer}, at most a frame's. */
    void units(UnitSource source, int layer, int firstBlock, int count) {
        begin(FrameHeader.KV);
        header.layer = layer;
        header.firstBlock = firstBlock;
        header.blockCount = count;
        header.encoding = FrameHeader.POOL_LAYOUT;
        header.lastBlockTokens = shape.tokensIn(firstBlock + count - 1);
        if (firstBlock < shape.wholeBlocks()) {
            header.setHash(plan.hashes().get(firstBlock).key());
        }
        encoder.encodeUnits(header, source, frame);
        for (int i = 0; i < count; i++) {
            sent.add(shape.unitIndex(layer, firstBlock + i), encoder.unitCrc(i));
        }
        send();
    }

    void result(float[] hidden) {
        begin(FrameHeader.RESULT);
        encoder.encode(header, hidden, frame);
        send();
    }

    void end(SenderTimes times, int cachedTokens) {
        begin(FrameHeader.END);
        header.hasEnd = true;
        header.units = sent.count();
        header.digestLength = FrameHeader.DIGEST_BYTES;
        System.arraycopy(sent.digest(), 0, header.digest, 0, FrameHeader.DIGEST_BYTES);
        header.queueMicros = micros(times.queued());
        header.prefixFetchMicros = micros(times.prefixFetch());
        header.computeMicros = micros(times.compute());
        header.endCachedTokens = cachedTokens;
        encoder.encode(header, new float[0], frame);
        send();
    }

    /** Resets the stream: a closing status would wait behind bytes that the peer does not take. */
    void reset(StatusRuntimeException why) {
        frame.refuse(why);
        call.sendMessage(frame);
    }

    private void begin(int kind) {
        header.clear();
        header.kind = kind;
        header.handoffId = plan.handoff().id();
        header.attempt = plan.handoff().attempt();
        header.sequenceNumber = nextSequenceNumber++;
    }

    private void send() {
        call.sendMessage(frame);
        frame.settle();
    }

    private static long micros(Duration duration) {
        return duration.dividedBy(ChronoUnit.MICROS.getDuration());
    }
}
