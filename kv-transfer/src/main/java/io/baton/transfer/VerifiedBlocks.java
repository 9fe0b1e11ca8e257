package io.baton.transfer;

import java.util.Arrays;

/**
 * What a receiver holds and need not be sent: cached blocks, or blocks verified in an earlier attempt.
 *
 * @param everyLayer blocks held in every layer, from the first on, a partial last one included
 * @param beyondByLayer blocks held beyond those, per layer
 */
public record VerifiedBlocks(int everyLayer, int[] beyondByLayer) {

    public VerifiedBlocks {
        if (everyLayer < 0 || Arrays.stream(beyondByLayer).anyMatch(beyond -> beyond < 0)) {
            throw new IllegalArgumentException("verified blocks must not be negative, found %d and %s"
                    .formatted(everyLayer, Arrays.toString(beyondByLayer)));
        }
        beyondByLayer = beyondByLayer.clone();
    }

    /** The first {@code blocks} blocks in each of {@code layers} layers. */
    public static VerifiedBlocks whole(int blocks, int layers) {
        return new VerifiedBlocks(blocks, new int[layers]);
    }

    @Override
    public int[] beyondByLayer() {
        return beyondByLayer.clone();
    }

    public int layers() {
        return beyondByLayer.length;
    }

    /** Blocks held in {@code layer}, from the first on. */
    public int in(int layer) {
        return everyLayer + beyondByLayer[layer];
    }

    /** Fails unless this describes blocks of {@code shape}. */
    VerifiedBlocks within(TransferShape shape) {
        if (layers() != shape.layers()) {
            throw new IllegalArgumentException(
                    "verified blocks of %d layers, expected %d".formatted(layers(), shape.layers()));
        }
        for (int beyond : beyondByLayer) {
            if (beyond > shape.blocks() - everyLayer) {
                throw new IllegalArgumentException("%d + %d verified blocks, but the sequence has %d"
                        .formatted(everyLayer, beyond, shape.blocks()));
            }
        }
        return this;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VerifiedBlocks that
                && everyLayer == that.everyLayer
                && Arrays.equals(beyondByLayer, that.beyondByLayer);
    }

    @Override
    public int hashCode() {
        return 31 * everyLayer + Arrays.hashCode(beyondByLayer);
    }

    @Override
    public String toString() {
        return everyLayer + " blocks and " + Arrays.toString(beyondByLayer);
    }
}
