package io.baton.engine.model;

import io.baton.engine.memory.OffHeap;
import io.baton.model.files.RopeParameters;
import io.baton.model.files.RopeScaling;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Cosines and sines of every position, computed in double by {@link StrictMath}, which gives the same bits on every
 * machine, and rounded once to f32. Filled in pages as positions are first used. Thread-safe.
 */
public final class RopeTable {

    private static final int PAGE_POSITIONS = 64;

    private final double[] frequencies; // radians per position, per pair
    private final double magnitude;
    private final int contextLength;
    private final long rowBytes;
    private final Arena memory;
    private final AtomicReferenceArray<MemorySegment> pages;

    RopeTable(RopeParameters rope, int contextLength, Arena memory) {
        this.frequencies = frequencies(rope);
        this.magnitude = rope.scaling() instanceof RopeScaling.Yarn yarn ? magnitude(yarn) : 1;
        this.contextLength = contextLength;
        this.rowBytes = OffHeap.rowBytes(2 * frequencies.length);
        this.memory = memory;
        this.pages = new AtomicReferenceArray<>(Math.ceilDiv(contextLength, PAGE_POSITIONS));
    }

    /** Bytes once every position was used. */
    static long bytes(RopeParameters rope, int contextLength) {
        return OffHeap.rowBytes(rope.dimensions()) * contextLength;
    }

    /** Pairs of a head that are rotated. */
    public int pairs() {
        return frequencies.length;
    }

    /** Address of the cosines of all pairs at {@code position}, followed by the sines. */
    public long turn(int position) {
        if (position < 0 || position >= contextLength) {
            throw new IndexOutOfBoundsException("position %d of %d".formatted(position, contextLength));
        }
        MemorySegment page = pages.get(position / PAGE_POSITIONS);
        if (page == null) {
            page = fill(position / PAGE_POSITIONS);
        }
        return page.address() + position % PAGE_POSITIONS * rowBytes;
    }

    private synchronized MemorySegment fill(int index) {
        MemorySegment ready = pages.get(index);
        if (ready != null) {
            return ready;
        }
        MemorySegment page = memory.allocate(PAGE_POSITIONS * rowBytes, OffHeap.ALIGNMENT);
        for (int i = 0; i < PAGE_POSITIONS; i++) {
            long row = page.address() + i * rowBytes;
            int position = index * PAGE_POSITIONS + i;
            for (int pair = 0; pair < pairs(); pair++) {
                double angle = position * frequencies[pair];
                OffHeap.f32(row + (long) pair * Float.BYTES, (float) (StrictMath.cos(angle) * magnitude));
                OffHeap.f32(row + (long) (pairs() + pair) * Float.BYTES, (float) (StrictMath.sin(angle) * magnitude));
            }
        }
        pages.set(index, page);
        return page;
    }

    private static double[] frequencies(RopeParameters rope) {
        double[] frequencies = new double[rope.dimensions() / 2];
        float[] factors = rope.frequencyFactors();
        for (int i = 0; i < frequencies.length; i++) {
            double plain = StrictMath.pow(rope.base(), -2.0 * i / rope.dimensions());
            double own = factors.length == 0 ? plain : plain / factors[i];
            frequencies[i] = switch (rope.scaling()) {
                case RopeScaling.None none -> own;
                case RopeScaling.Linear linear -> own / linear.factor();
                case RopeScaling.Yarn yarn -> interpolated(own, yarn, ramp(i, rope, yarn));
                case RopeScaling.Unsupported refused ->
                    throw new IllegalArgumentException("rope scaling " + refused.type() + " is refused before packing");
            };
        }
        return frequencies;
    }

    private static double interpolated(double frequency, RopeScaling.Yarn yarn, double ramp) {
        return frequency / yarn.factor() * ramp + frequency * (1 - ramp);
    }

    /**
     * 0 for pairs that turn often within the original context and keep their frequency, 1 for those interpolated whole.
     */
    private static double ramp(int pair, RopeParameters rope, RopeScaling.Yarn yarn) {
        double low = Math.max(0, StrictMath.floor(pairTurning(yarn.betaFast(), rope, yarn)));
        double high = Math.min(rope.dimensions() - 1, StrictMath.ceil(pairTurning(yarn.betaSlow(), rope, yarn)));
        return Math.clamp((pair - low) / Math.max(0.001, high - low), 0, 1);
    }

    /** The (fractional) pair that turns {@code times} within the original context. */
    private static double pairTurning(double times, RopeParameters rope, RopeScaling.Yarn yarn) {
        double wavelength = yarn.originalContext() / (times * 2 * Math.PI);
        return rope.dimensions() * StrictMath.log(wavelength) / (2 * StrictMath.log(rope.base()));
    }

    private static double magnitude(RopeScaling.Yarn yarn) {
        return yarn.attentionFactor() != 0 ? yarn.attentionFactor() : 0.1 * StrictMath.log(yarn.factor()) + 1;
    }
}
