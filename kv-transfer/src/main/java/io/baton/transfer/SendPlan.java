package io.baton.transfer;

import io.baton.kv.BlockHash;
import java.util.List;

/**
 * What to send.
 *
 * @param hashes of the whole blocks
 * @param held what the receiver has and is not sent
 * @param kind whether a result and an acknowledgement belong to the stream
 */
public record SendPlan(
        Handoff handoff, TransferShape shape, List<BlockHash> hashes, VerifiedBlocks held, int wireVersion, Kind kind) {

    /** Which method a stream serves. */
    public enum Kind {
        /** Waits for a grant, ends with a result and waits for an acknowledgement. */
        PREFILL,
        /** Sends at once, whatever is ready when {@link KvSender#finished} is called. */
        FETCH
    }

    public SendPlan {
        hashes = List.copyOf(hashes);
        if (hashes.size() != shape.wholeBlocks()) {
            throw new IllegalArgumentException(
                    "%d block hashes, expected %d".formatted(hashes.size(), shape.wholeBlocks()));
        }
        held.within(shape);
    }
}
