package io.baton.model.files;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Walks the head of a GGUF file. Every step is checked against what is left of the file. Used by one thread. */
final class GgufCursor {

    private final Path path;
    private final MemorySegment file;
    private long position;

    GgufCursor(Path path, MemorySegment file) {
        this.path = path;
        this.file = file;
    }

    long position() {
        return position;
    }

    long remaining() {
        return file.byteSize() - position;
    }

    /** Skips {@code bytes} and returns the offset they start at. */
    long take(long bytes, String field) {
        if (bytes < 0 || bytes > remaining()) {
            throw ModelFileException.at(
                    path,
                    position,
                    field,
                    "%d bytes to the end of the file".formatted(remaining()),
                    "%s more; the file is truncated or damaged, fetch it again"
                            .formatted(Long.toUnsignedString(bytes)));
        }
        long start = position;
        position += bytes;
        return start;
    }

    int int32(String field) {
        return file.get(KeyArray.INT, take(Integer.BYTES, field));
    }

    long int64(String field) {
        return file.get(KeyArray.LONG, take(Long.BYTES, field));
    }

    /**
     * A count of things that each take at least {@code bytesEach} of what is left, and of which we accept at most
     * {@code most}.
     */
    int count(String field, long bytesEach, int most) {
        long start = position;
        long count = int64(field);
        long fits = remaining() / bytesEach;
        if (count < 0 || count > fits || count > most) {
            throw ModelFileException.at(
                    path, start, field, Long.toUnsignedString(count), "at most " + Math.min(fits, most));
        }
        return (int) count;
    }

    /** Skips a length-prefixed text and returns its length. */
    int skipText(String field) {
        int bytes = count(field + " length", 1, Integer.MAX_VALUE - 8);
        take(bytes, field);
        return bytes;
    }

    /** A length-prefixed text of at most {@code most} bytes that must be UTF-8. */
    String text(String field, int most) {
        int bytes = count(field + " length", 1, most);
        long start = take(bytes, field);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(file.asSlice(start, bytes).toArray(ValueLayout.JAVA_BYTE)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw ModelFileException.at(path, start, field, "bytes that are not UTF-8", "UTF-8 text");
        }
    }

    Object scalar(GgufValueType type, String field) {
        return type.read(file, take(type.bytes(), field));
    }

    GgufValueType valueType(String field) {
        long start = position;
        int id = int32(field);
        return GgufValueType.ofId(id)
                .orElseThrow(() -> ModelFileException.at(
                        path, start, field, Integer.toUnsignedString(id), "a value type from 0 to 12"));
    }

    KeyArray array(String field) {
        long typeStart = position;
        GgufValueType elements = valueType(field + " element type");
        if (elements == GgufValueType.ARRAY) {
            throw ModelFileException.at(path, typeStart, field + " element type", "an array of arrays", "a flat array");
        }
        boolean texts = elements == GgufValueType.STRING;
        int length = count(field + " length", texts ? Long.BYTES : elements.bytes(), Integer.MAX_VALUE - 8);
        long start = position;
        if (texts) {
            for (int i = 0; i < length; i++) {
                skipText(field + "[" + i + "]");
            }
        } else {
            take((long) length * elements.bytes(), field);
        }
        return new KeyArray(elements, length, file.asSlice(start, position - start));
    }
}
