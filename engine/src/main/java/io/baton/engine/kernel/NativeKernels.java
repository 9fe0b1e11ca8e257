package io.baton.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.baton.engine.ActivationMode;
import io.baton.engine.KvType;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * {@link Kernels} in C ({@code engine/src/main/c}), compiled for one instruction set and called through the foreign
 * function interface. A call costs some nanoseconds; none allocates.
 */
public final class NativeKernels implements Kernels {

    private static final FunctionDescriptor PRODUCT = returning(null, 9);
    private static final FunctionDescriptor THREE = returning(null, 3);

    private final String instructionSet;
    private final MethodHandle productF32;
    private final MethodHandle productBf16;
    private final Map<MatrixFormat, MethodHandle> quantisedProducts = new EnumMap<>(MatrixFormat.class);
    private final MethodHandle roundBf16;
    private final long bf16Bytes;
    private final MethodHandle roundQ8;
    private final MethodHandle sumOfSquares;
    private final MethodHandle normalize;
    private final MethodHandle add;
    private final MethodHandle gate;
    private final MethodHandle rotate;
    private final MethodHandle attentionScratch;
    private final MethodHandle attend;
    private final ThreadLocal<AttentionArguments> arguments = ThreadLocal.withInitial(AttentionArguments::new);

    private NativeKernels(NativeLibrary library, String instructionSet) {
        this.instructionSet = instructionSet;
        productF32 = library.function(instructionSet, "product_f32", PRODUCT);
        productBf16 = library.function(instructionSet, "product_bf16", PRODUCT);
        for (MatrixFormat format : MatrixFormat.values()) {
            if (format.activations() == ActivationMode.Q8) {
                quantisedProducts.put(format, library.function(instructionSet, "product_" + format.label(), PRODUCT));
            }
        }
        roundBf16 = library.function(instructionSet, "round_bf16", THREE);
        bf16Bytes = bf16Bytes(library, instructionSet);
        roundQ8 = library.function(instructionSet, "round_q8", THREE);
        sumOfSquares = library.function(instructionSet, "sum_of_squares", returning(JAVA_FLOAT, 2));
        normalize = library.function(
                instructionSet,
                "normalize",
                FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_FLOAT, JAVA_FLOAT, JAVA_LONG));
        add = library.function(instructionSet, "add", THREE);
        gate = library.function(instructionSet, "gate", THREE);
        rotate = library.function(instructionSet, "rotate", THREE);
        attentionScratch = library.function(instructionSet, "attention_scratch", returning(JAVA_LONG, 2));
        attend = library.function(
                instructionSet,
                "attend",
                FunctionDescriptor.ofVoid(
                        JAVA_LONG,
                        JAVA_LONG,
                        JAVA_LONG,
                        JAVA_LONG,
                        JAVA_LONG,
                        JAVA_LONG,
                        JAVA_LONG,
                        JAVA_FLOAT,
                        JAVA_LONG,
                        JAVA_LONG,
                        JAVA_LONG,
                        JAVA_LONG,
                        JAVA_LONG));
    }

    /** One provider for each instruction set that this machine runs, best first; empty where there is no library. */
    public static List<NativeKernels> all() {
        List<NativeKernels> all = new ArrayList<>();
        if (NativeLibrary.load() instanceof NativeLibrary.Loading.Loaded(NativeLibrary library)) {
            for (String instructionSet : library.instructionSets()) {
                all.add(new NativeKernels(library, instructionSet));
            }
        }
        return all;
    }

    /** Why {@link #all} is empty; empty text when it is not. */
    static String whyNone() {
        return switch (NativeLibrary.load()) {
            case NativeLibrary.Loading.Missing(String reason) -> reason;
            case NativeLibrary.Loading.Loaded(NativeLibrary library) ->
                library.instructionSets().isEmpty() ? "this processor runs none of the compiled instruction sets" : "";
        };
    }

    @Override
    public String name() {
        return "native-" + instructionSet;
    }

    @Override
    public long scratchBytes(int headDim, int group) {
        try {
            return (long) attentionScratch.invokeExact((long) headDim, (long) Math.max(ATTENTION_ROWS, group));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    /**
     * For quantised matrices as {@code rows.c} says: the values, then six numbers per group. Values that are bf16 take
     * four bytes where they are multiplied as f32.
     */
    @Override
    public long roundedBytes(MatrixFormat format, int columns) {
        return switch (format.activations()) {
            case F32 -> OffHeap.rowBytes(columns);
            case BF16 -> OffHeap.aligned((columns + 1L & -2L) * bf16Bytes);
            case Q8 -> OffHeap.aligned(columns + columns / MatrixFormat.GROUP * 6L * Integer.BYTES);
        };
    }

    @Override
    public void round(MatrixFormat format, long x, int columns, long rounded) {
        try {
            switch (format.activations()) {
                case F32 -> OffHeap.copy(x, rounded, (long) columns * Float.BYTES);
                case BF16 -> roundBf16.invokeExact(x, (long) columns, rounded);
                case Q8 -> roundQ8.invokeExact(x, (long) columns / MatrixFormat.GROUP, rounded);
            }
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    @Override
    public void product(
            PackedMatrix matrix,
            int fromPanel,
            int toPanel,
            long rounded,
            int rows,
            long y,
            long yStride,
            long scratch) {
        MatrixFormat format = matrix.format();
        long weights = matrix.panels().address();
        long rowBytes = roundedBytes(format, matrix.columns());
        long outputs = yStride / Float.BYTES;
        long from = fromPanel;
        long to = toPanel;
        try {
            switch (format) {
                case F32 ->
                    productF32.invokeExact(
                            weights,
                            (long) matrix.columns(),
                            rounded,
                            (long) rows,
                            rowBytes / Float.BYTES,
                            y,
                            outputs,
                            from,
                            to);
                case BF16 ->
                    productBf16.invokeExact(
                            weights,
                            matrix.columns() + 1L & -2L,
                            rounded,
                            (long) rows,
                            rowBytes / bf16Bytes,
                            y,
                            outputs,
                            from,
                            to);
                default ->
                    quantised(format)
                            .invokeExact(
                                    weights,
                                    (long) matrix.columns() / MatrixFormat.GROUP,
                                    rounded,
                                    (long) rows,
                                    rowBytes,
                                    y,
                                    outputs,
                                    from,
                                    to);
            }
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private MethodHandle quantised(MatrixFormat format) {
        return Objects.requireNonNull(quantisedProducts.get(format), format::name);
    }

    @Override
    public float sumOfSquares(long x, int n) {
        try {
            return (float) sumOfSquares.invokeExact(x, (long) n);
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    @Override
    public void normalize(long x, long weight, int n, float sum, float epsilon, long y) {
        try {
            normalize.invokeExact(x, weight, (long) n, sum, epsilon, y);
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    @Override
    public void add(long x, long y, int n) {
        call(add, x, y, n);
    }

    @Override
    public void gate(long gateRow, long up, int n) {
        call(gate, gateRow, up, n);
    }

    @Override
    public void rotate(long x, long turn, int pairs) {
        call(rotate, x, turn, pairs);
    }

    @Override
    public void attend(
            KvPool pool,
            int layer,
            int[] blockTable,
            int kvHead,
            int position,
            int tokens,
            int group,
            long q,
            long qStride,
            long y,
            long yStride,
            long scratch) {
        AttentionArguments copied = arguments.get();
        int blocks = (position + tokens - 1) / pool.layout().blockTokens() + 1;
        copied.set(pool.layout(), kvHead, blockTable, blocks);
        long unit = pool.address(layer, 0);
        long blockStride = pool.layers() * pool.unitBytes();
        try {
            attend.invokeExact(
                    unit,
                    blockStride,
                    copied.blocks(),
                    copied.head(),
                    (long) position,
                    (long) tokens,
                    (long) group,
                    Arithmetic.attentionScale(pool.layout().headDim()),
                    q,
                    qStride,
                    y,
                    yStride,
                    scratch);
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private static void call(MethodHandle function, long a, long b, int n) {
        try {
            function.invokeExact(a, b, (long) n);
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private static long bf16Bytes(NativeLibrary library, String instructionSet) {
        try {
            return (long) library.function(instructionSet, "bf16_bytes", returning(JAVA_LONG, 0))
                    .invokeExact();
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    static IllegalStateException failed(Throwable cause) {
        return new IllegalStateException("a native kernel could not be called", cause);
    }

    private static FunctionDescriptor returning(@Nullable ValueLayout result, int longs) {
        MemoryLayout[] arguments = new MemoryLayout[longs];
        Arrays.fill(arguments, JAVA_LONG);
        return result == null ? FunctionDescriptor.ofVoid(arguments) : FunctionDescriptor.of(result, arguments);
    }

    /** {@code struct kv_head} and the block ids of one thread's call, in native memory. */
    private static final class AttentionArguments {

        private final long[] fields = new long[10];
        private final MemorySegment head = Arena.ofAuto().allocate((long) fields.length * Long.BYTES, Long.BYTES);
        private MemorySegment blocks = Arena.ofAuto().allocate(64 * Integer.BYTES, Integer.BYTES);

        void set(KvLayout layout, int kvHead, int[] blockTable, int count) {
            boolean scaled = layout.type() == KvType.Q8;
            fields[0] = nativeType(layout.type());
            fields[1] = layout.blockTokens();
            fields[2] = layout.headDim();
            fields[3] = layout.keys(kvHead);
            fields[4] = layout.values(kvHead);
            fields[5] = scaled ? layout.keyScale(kvHead, 0) : 0;
            fields[6] = scaled ? layout.valueScale(kvHead, 0) : 0;
            fields[7] = layout.keyPanelBytes();
            fields[8] = layout.valuePanelBytes();
            fields[9] = layout.headBytes();
            MemorySegment.copy(fields, 0, head, JAVA_LONG, 0, fields.length);
            if (blocks.byteSize() < (long) count * Integer.BYTES) {
                blocks = Arena.ofAuto().allocate(2L * count * Integer.BYTES, Integer.BYTES);
            }
            MemorySegment.copy(blockTable, 0, blocks, ValueLayout.JAVA_INT, 0, count);
        }

        /** {@code enum kv_type}. */
        private static long nativeType(KvType type) {
            return switch (type) {
                case F32 -> 0;
                case BF16 -> 1;
                case Q8 -> 2;
            };
        }

        long head() {
            return head.address();
        }

        long blocks() {
            return blocks.address();
        }
    }
}
