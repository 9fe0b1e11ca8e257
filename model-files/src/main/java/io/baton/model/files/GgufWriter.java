package io.baton.model.files;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes GGUF files: keys and what makes up the tensors are kept until {@link #write}. Used by one thread. */
public final class GgufWriter {

    /** Writes a tensor's bytes, little-endian, whole rows, when the file is written; for those too large to keep. */
    @FunctionalInterface
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    private record Pending(String name, TensorType type, List<Long> shape, long bytes, Content content) {}

    private static final int MAX_WORD = Long.BYTES;

    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private final List<Pending> tensors = new ArrayList<>();
    private final ByteBuffer word = ByteBuffer.allocate(MAX_WORD).order(ByteOrder.LITTLE_ENDIAN);
    private int keyCount;

    public GgufWriter text(String key, String value) {
        key(key, GgufValueType.STRING);
        text(keys, value);
        return this;
    }

    /** An unsigned 32-bit integer, as GGUF's sizes are. */
    public GgufWriter integer(String key, int value) {
        key(key, GgufValueType.UINT32);
        int32(keys, value);
        return this;
    }

    public GgufWriter number(String key, float value) {
        key(key, GgufValueType.FLOAT32);
        int32(keys, Float.floatToRawIntBits(value));
        return this;
    }

    public GgufWriter flag(String key, boolean value) {
        key(key, GgufValueType.BOOL);
        keys.write(value ? 1 : 0);
        return this;
    }

    public GgufWriter texts(String key, List<String> values) {
        array(key, GgufValueType.STRING, values.size());
        values.forEach(value -> text(keys, value));
        return this;
    }

    public GgufWriter integers(String key, int[] values) {
        array(key, GgufValueType.INT32, values.length);
        for (int value : values) {
            int32(keys, value);
        }
        return this;
    }

    public GgufWriter numbers(String key, float[] values) {
        array(key, GgufValueType.FLOAT32, values.length);
        for (float value : values) {
            int32(keys, Float.floatToRawIntBits(value));
        }
        return this;
    }

    /** A whole vocabulary under {@code tokenizer.ggml.*}. */
    public GgufWriter vocabulary(VocabularyFile vocabulary) {
        text("tokenizer.ggml.model", vocabulary.model());
        if (!vocabulary.preTokenizer().isEmpty()) {
            text("tokenizer.ggml.pre", vocabulary.preTokenizer());
        }
        texts("tokenizer.ggml.tokens", vocabulary.tokens());
        if (vocabulary.scores().length > 0) {
            numbers("tokenizer.ggml.scores", vocabulary.scores());
        }
        integers(
                "tokenizer.ggml.token_type",
                vocabulary.kinds().stream().mapToInt(TokenKind::ggufId).toArray());
        if (!vocabulary.merges().isEmpty()) {
            texts(
                    "tokenizer.ggml.merges",
                    vocabulary.merges().stream()
                            .map(merge -> merge.left() + " " + merge.right())
                            .toList());
        }
        SpecialTokens special = vocabulary.special();
        special.bos().ifPresent(id -> integer("tokenizer.ggml.bos_token_id", id));
        special.eos().ifPresent(id -> integer("tokenizer.ggml.eos_token_id", id));
        special.unknown().ifPresent(id -> integer("tokenizer.ggml.unknown_token_id", id));
        special.padding().ifPresent(id -> integer("tokenizer.ggml.padding_token_id", id));
        flag("tokenizer.ggml.add_bos_token", vocabulary.addBos());
        flag("tokenizer.ggml.add_eos_token", vocabulary.addEos());
        flag("tokenizer.ggml.add_space_prefix", vocabulary.addSpacePrefix());
        vocabulary.chatTemplate().ifPresent(template -> text("tokenizer.chat_template", template));
        return this;
    }

    /**
     * A tensor.
     *
     * @param shape outermost dimension first
     * @param content little-endian, whole rows; not copied
     */
    public GgufWriter tensor(String name, TensorType type, List<Long> shape, byte[] content) {
        long expected = bytes(type, shape);
        if (content.length != expected) {
            throw new IllegalArgumentException("tensor %s of %s%s: found %d bytes, expected %d"
                    .formatted(name, type, shape, content.length, expected));
        }
        return tensor(name, type, shape, out -> out.write(content));
    }

    /** A tensor whose content is made while the file is written; it must have exactly the size of its shape. */
    public GgufWriter tensor(String name, TensorType type, List<Long> shape, Content content) {
        tensors.add(new Pending(name, type, List.copyOf(shape), bytes(type, shape), content));
        return this;
    }

    private static long bytes(TensorType type, List<Long> shape) {
        long rows = shape.stream().reduce(1L, Math::multiplyExact) / shape.getLast();
        return Math.multiplyExact(rows, type.rowBytes(shape.getLast()));
    }

    /** A tensor of F32. */
    public GgufWriter tensor(String name, List<Long> shape, float[] values) {
        ByteBuffer content = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        content.asFloatBuffer().put(values);
        return tensor(name, TensorType.F32, shape, content.array());
    }

    /** Writes the file, replacing what is there. */
    public void write(Path path) throws IOException {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(path))) {
            write(out);
        }
    }

    /** Writes into memory what {@link #write(Path)} would write, for a model that needs no file. */
    public MemorySegment write(Arena arena) throws IOException {
        MemorySegment memory = arena.allocate(size(), GgufReader.DEFAULT_ALIGNMENT);
        try (OutputStream out = new SegmentOutput(memory)) {
            write(out);
        }
        return memory;
    }

    /** Bytes of the whole file. */
    public long size() {
        long written = head().size();
        for (Pending tensor : tensors) {
            written = aligned(written) + tensor.bytes();
        }
        return written;
    }

    void write(OutputStream out) throws IOException {
        ByteArrayOutputStream head = head();
        head.writeTo(out);
        long written = head.size();
        for (Pending tensor : tensors) {
            out.write(new byte[(int) (aligned(written) - written)]);
            tensor.content().writeTo(out);
            written = aligned(written) + tensor.bytes();
        }
    }

    /** Everything before the tensors' data. */
    private ByteArrayOutputStream head() {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        int32(head, GgufReader.MAGIC);
        int32(head, 3);
        int64(head, tensors.size());
        int64(head, keyCount);
        head.writeBytes(keys.toByteArray());
        long offset = 0;
        for (Pending tensor : tensors) {
            text(head, tensor.name());
            int32(head, tensor.shape().size());
            tensor.shape().reversed().forEach(size -> int64(head, size));
            int32(head, tensor.type().ggufId());
            int64(head, offset);
            offset = aligned(offset + tensor.bytes());
        }
        return head;
    }

    private static long aligned(long offset) {
        return Math.ceilDiv(offset, GgufReader.DEFAULT_ALIGNMENT) * GgufReader.DEFAULT_ALIGNMENT;
    }

    private void key(String key, GgufValueType type) {
        text(keys, key);
        int32(keys, type.id());
        keyCount++;
    }

    private void array(String key, GgufValueType elements, int length) {
        key(key, GgufValueType.ARRAY);
        int32(keys, elements.id());
        int64(keys, length);
    }

    private void text(ByteArrayOutputStream out, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        int64(out, bytes.length);
        out.writeBytes(bytes);
    }

    private void int32(ByteArrayOutputStream out, int value) {
        out.write(word.putInt(0, value).array(), 0, Integer.BYTES);
    }

    private void int64(ByteArrayOutputStream out, long value) {
        out.write(word.putLong(0, value).array(), 0, Long.BYTES);
    }
}
