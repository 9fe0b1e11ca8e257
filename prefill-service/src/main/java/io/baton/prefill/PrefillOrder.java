package io.baton.prefill;

import io.baton.engine.Engine;
import io.baton.engine.PrefillRequest;
import io.baton.kv.BlockChain;
import io.baton.kv.SequenceFingerprint;
import io.baton.kv.SequenceRoot;
import io.baton.proto.v1.CallContext;
import io.baton.proto.v1.PrefillStart;
import io.baton.serving.Fingerprints;
import io.baton.transfer.Handoff;
import io.baton.transfer.PromptChecksum;
import io.baton.transfer.SendPlan;
import io.baton.transfer.TransferShape;
import io.baton.transfer.VerifiedBlocks;
import io.baton.transfer.WireVersions;
import java.util.OptionalInt;

/**
 * One request, checked: what to compute, and what of it to send.
 *
 * @param owner names it in leases and logs
 */
record PrefillOrder(String owner, PrefillRequest request, SendPlan plan) {

    private static final int SALT_BYTES = 32;
    private static final int MAX_OWNER = 128;

    /** Refuses what this node cannot serve, naming the field. */
    static PrefillOrder of(PrefillStart start, Engine engine) throws RefusedException {
        int version = wireVersion(start);
        SequenceFingerprint fingerprint = engine.fingerprint();
        requireSameFunction(start, fingerprint);
        CallContext caller = start.getContext();
        int salt = caller.getEffectiveSalt().size();
        require(salt == 0 || salt == SALT_BYTES, "context.effective_salt", "0 or 32 bytes", salt);
        int count = start.getTokenIdsCount();
        require(count > 0, "token_ids", "at least one token", "none");
        int context = engine.shape().contextLength();
        if (count > context) { // before anything is allocated in proportion to it
            throw new RefusedException(Refusal.outOfRange(
                    "token_ids: expected at most %d tokens, the context length, found %d".formatted(context, count)));
        }
        int checksum = PromptChecksum.of(start.getTokenIdsList());
        if (start.hasTokenIdsCrc32C() && start.getTokenIdsCrc32C() != checksum) {
            throw new RefusedException(
                    Refusal.corrupt("token_ids: expected ids with checksum %08x, found %d ids with %08x; ask again"
                            .formatted(start.getTokenIdsCrc32C(), count, checksum)));
        }
        int[] tokens =
                start.getTokenIdsList().stream().mapToInt(Integer::intValue).toArray();
        int blockTokens = engine.options().blockTokens();
        TransferShape shape = TransferShape.of(engine.shape().layers(), engine.unitBytes(), blockTokens, tokens.length);
        SequenceRoot root = SequenceRoot.of(
                fingerprint.digest(),
                fingerprint.adapter(),
                caller.getEffectiveSalt().toByteArray(),
                SequenceRoot.LOSSLESS);
        Handoff handoff = new Handoff(start.getHandoffId(), caller.getAttempt());
        String owner = "%s (%s)".formatted(printable(caller.getRequestId()), handoff);
        SendPlan plan = new SendPlan(
                handoff,
                shape,
                BlockChain.of(root, tokens, blockTokens),
                held(start, shape),
                version,
                SendPlan.Kind.PREFILL);
        return new PrefillOrder(owner, new PrefillRequest(owner, tokens, root, caller.getPriority()), plan);
    }

    private static int wireVersion(PrefillStart start) throws RefusedException {
        int least = start.getMinWireVersion();
        int most = start.getMaxWireVersion();
        require(
                least >= 1 && most >= least,
                "min_wire_version, max_wire_version",
                "a range from 1 on",
                "%d to %d".formatted(least, most));
        OptionalInt common = WireVersions.SUPPORTED.highestCommon(new WireVersions(least, most));
        if (common.isEmpty()) {
            throw new RefusedException(
                    Refusal.mismatch("wire_version differs: this node writes %s, the request reads %s"
                            .formatted(WireVersions.SUPPORTED, new WireVersions(least, most))));
        }
        return common.getAsInt();
    }

    private static void requireSameFunction(PrefillStart start, SequenceFingerprint ours) throws RefusedException {
        SequenceFingerprint wanted;
        try {
            wanted = Fingerprints.fromProto(start.getFingerprint());
        } catch (IllegalArgumentException e) {
            throw new RefusedException(Refusal.mismatch(e.getMessage()));
        }
        String difference = ours.differenceFrom(wanted).orElse("");
        if (!difference.isEmpty()) {
            throw new RefusedException(Refusal.mismatch("this node computes another function: " + difference));
        }
    }

    private static VerifiedBlocks held(PrefillStart start, TransferShape shape) throws RefusedException {
        int[] beyond = start.getVerifiedBlocksByLayerCount() == 0
                ? new int[shape.layers()]
                : start.getVerifiedBlocksByLayerList().stream()
                        .mapToInt(Integer::intValue)
                        .toArray();
        require(
                beyond.length == shape.layers(),
                "verified_blocks_by_layer",
                "%d layers or none".formatted(shape.layers()),
                beyond.length);
        int everyLayer = start.getVerifiedBlocks();
        require(
                everyLayer >= 0 && everyLayer <= shape.blocks(),
                "verified_blocks",
                "at most " + shape.blocks(),
                Integer.toUnsignedString(everyLayer));
        for (int blocks : beyond) {
            require(
                    blocks >= 0 && blocks <= shape.blocks() - everyLayer,
                    "verified_blocks_by_layer",
                    "at most %d beyond the %d verified ones".formatted(shape.blocks() - everyLayer, everyLayer),
                    Integer.toUnsignedString(blocks));
        }
        return new VerifiedBlocks(everyLayer, beyond);
    }

    /** Foreign text on its way into logs. */
    private static String printable(String text) {
        String bounded = text.length() > MAX_OWNER ? text.substring(0, MAX_OWNER) : text;
        return bounded.replaceAll("[^\\x20-\\x7e]", "?");
    }

    private static void require(boolean holds, String field, String expected, Object found) throws RefusedException {
        if (!holds) {
            throw new RefusedException(Refusal.invalid("%s: expected %s, found %s".formatted(field, expected, found)));
        }
    }
}
