package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vectors, loaded from and stored to addresses. A line is what the definitions speak of, sixteen f32 lanes; it is one
 * vector, two or four, as wide as the registers of this machine. A lane is a row of a matrix or an element, so that
 * only sums over lanes depend on how many lanes a vector has. The species are constants and all memory is one segment,
 * because the JIT compiles nothing else well.
 */
final class Lanes {

    /** Narrower vectors than the machine's: {@code -Dbaton.vector.bits=256}. Wider ones are correct and very slow. */
    static final String BITS_PROPERTY = "baton.vector.bits";

    private static final VectorShape SHAPE = shape();

    static final VectorSpecies<Float> F32 = SHAPE.withLanes(float.class);
    static final VectorSpecies<Integer> S32 = SHAPE.withLanes(int.class);
    static final VectorSpecies<Short> S16 = SHAPE.withLanes(short.class);

    /** As many lanes as F32; bytes of the narrowest shape are in the first lanes of a longer vector. */
    private static final VectorSpecies<Short> S16_FEW =
            VectorShape.forBitSize(SHAPE.vectorBitSize() / 2).withLanes(short.class);

    private static final VectorSpecies<Byte> S8_FEW =
            VectorShape.forBitSize(Math.max(64, SHAPE.vectorBitSize() / 4)).withLanes(byte.class);

    static final ValueLayout.OfFloat VALUE = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Lanes and bytes of a line. */
    static final int COUNT = 16;

    static final int BYTES = OffHeap.ALIGNMENT;

    /** Bytes of a vector. */
    static final long VECTOR_BYTES = SHAPE.vectorBitSize() / Byte.SIZE;

    /** Vectors of a line: 1, 2 or 4. */
    static final int VECTORS = (int) (BYTES / VECTOR_BYTES);

    static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final VectorShuffle<Float> APART_8 = apart(8);
    private static final VectorShuffle<Float> APART_4 = apart(4);
    private static final VectorShuffle<Float> APART_2 = apart(2);
    private static final VectorShuffle<Float> APART_1 = apart(1);

    private Lanes() {}

    private static VectorShape shape() {
        int widest = Integer.getInteger(BITS_PROPERTY, FloatVector.SPECIES_PREFERRED.vectorBitSize());
        return VectorShape.forBitSize(Math.clamp(Integer.highestOneBit(widest), 128, 512));
    }

    private static VectorShuffle<Float> apart(int lanes) {
        return VectorShuffle.fromOp(F32, i -> (i + lanes) % F32.length());
    }

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(F32, OffHeap.ALL, address, ORDER);
    }

    static void store(long address, FloatVector v) {
        v.intoMemorySegment(OffHeap.ALL, address, ORDER);
    }

    static IntVector loadInts(long address) {
        return IntVector.fromMemorySegment(S32, OffHeap.ALL, address, ORDER);
    }

    static void storeShorts(long address, IntVector v) {
        ShortVector low = (ShortVector) v.convertShape(VectorOperators.I2S, S16_FEW, 0);
        low.intoMemorySegment(OffHeap.ALL, address, ORDER);
    }

    /** The f32 at {@code address} in every lane. */
    static FloatVector spread(long address) {
        return FloatVector.broadcast(F32, OffHeap.f32(address));
    }

    static FloatVector zero() {
        return FloatVector.zero(F32);
    }

    /** Finite f16, exactly: exponent and mantissa move to their places in f32, and 2^112 corrects the bias. */
    static FloatVector loadHalves(long address) {
        IntVector h = (IntVector) ShortVector.fromMemorySegment(S16_FEW, OffHeap.ALL, address, ORDER)
                .convertShape(VectorOperators.S2I, S32, 0);
        return h.and(0x7fff)
                .lanewise(VectorOperators.LSHL, 13)
                .or(h.and(0x80000000))
                .reinterpretAsFloats()
                .mul(0x1p112f);
    }

    /** s8; at the narrowest, memory behind them is read too. */
    static FloatVector loadBytes(long address) {
        ByteVector bytes = ByteVector.fromMemorySegment(S8_FEW, OffHeap.ALL, address, ORDER);
        return (FloatVector) bytes.convertShape(VectorOperators.B2F, F32, 0);
    }

    static FloatVector toFloats(IntVector v) {
        return (FloatVector) v.convertShape(VectorOperators.I2F, F32, 0);
    }

    /** {@link Arithmetic#tree} of a line, which is in as many of these as {@link #VECTORS} says. */
    static float tree(FloatVector a, FloatVector b, FloatVector c, FloatVector d) {
        FloatVector by8 = switch (VECTORS) {
            case 1 -> a.add(a.rearrange(APART_8));
            case 2 -> a.add(b);
            default -> a.add(c);
        };
        FloatVector by4 = VECTORS <= 2 ? by8.add(by8.rearrange(APART_4)) : by8.add(b.add(d));
        FloatVector by2 = by4.add(by4.rearrange(APART_2));
        return by2.add(by2.rearrange(APART_1)).lane(0);
    }

    /** {@link Arithmetic#exp} in every lane. */
    static FloatVector exp(FloatVector x) {
        FloatVector v = x.blend(Arithmetic.EXP_HIGHEST, x.compare(VectorOperators.GT, Arithmetic.EXP_HIGHEST));
        FloatVector shifted = v.fma(broadcast(Arithmetic.LOG2_E), broadcast(Arithmetic.ROUNDER));
        FloatVector n = shifted.sub(Arithmetic.ROUNDER);
        FloatVector r = n.fma(broadcast(-Arithmetic.LN2_HIGH), v);
        r = n.fma(broadcast(-Arithmetic.LN2_LOW), r);
        FloatVector p = broadcast(Arithmetic.E0).fma(r, broadcast(Arithmetic.E1));
        p = p.fma(r, broadcast(Arithmetic.E2));
        p = p.fma(r, broadcast(Arithmetic.E3));
        p = p.fma(r, broadcast(Arithmetic.E4));
        p = p.fma(r, broadcast(Arithmetic.E5));
        FloatVector e = p.fma(r.mul(r), r).add(1f);
        IntVector scale = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        FloatVector scaled = e.reinterpretAsInts().add(scale).reinterpretAsFloats();
        return scaled.blend(0f, x.compare(VectorOperators.LT, Arithmetic.EXP_LOWEST));
    }

    /** {@link Arithmetic#bf16} in every lane, widened again. */
    static FloatVector roundToBf16(FloatVector x) {
        IntVector bits = x.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        FloatVector rounded = bits.add(0x7fff).add(odd).and(0xffff0000).reinterpretAsFloats();
        return rounded.blend(0f, x.abs().compare(VectorOperators.LT, Arithmetic.BF16_FLUSH))
                .blend(Float.NaN, x.test(VectorOperators.IS_NAN));
    }

    static FloatVector broadcast(float value) {
        return FloatVector.broadcast(F32, value);
    }
}
