package io.baton.model.files;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a file says about its model, by GGUF's key names ({@code llama.block_count}); a Hugging Face configuration is
 * translated to the same names. Numbers keep the range they were written with; asking for another type than the file
 * has is an error that names the key.
 */
public final class ModelKeys {

    /** A value (Long, Double, Boolean, String or {@link KeyArray}) and where in the file it stands; −1 when nowhere. */
    record Entry(Object value, long offset) {}

    private final Path file;
    private final Map<String, Entry> entries;
    private final Map<String, String> writtenAs;

    ModelKeys(Path file, Map<String, Entry> entries) {
        this(file, entries, Map.of());
    }

    /**
     * Keys that were translated.
     *
     * @param writtenAs how the file calls a key, for messages; what is not in it is called the same
     */
    ModelKeys(Path file, Map<String, Entry> entries, Map<String, String> writtenAs) {
        this.file = file;
        this.writtenAs = Map.copyOf(writtenAs);
        this.entries = Collections.unmodifiableMap(entries);
    }

    /** All keys, in the order of the file. */
    public Set<String> names() {
        return entries.keySet();
    }

    public Optional<String> text(String key) {
        return find(key, String.class, "text");
    }

    public OptionalLong integer(String key) {
        return find(key, Long.class, "an integer").map(OptionalLong::of).orElse(OptionalLong.empty());
    }

    /** An integer that must lie in a range. */
    public OptionalLong integer(String key, long smallest, long largest) {
        OptionalLong value = integer(key);
        if (value.isPresent() && (value.getAsLong() < smallest || value.getAsLong() > largest)) {
            throw wrong(key, value.getAsLong(), "%d to %d".formatted(smallest, largest));
        }
        return value;
    }

    /** A number, whether written as a float or as an integer. */
    public OptionalDouble number(String key) {
        Optional<Number> value = find(key, Number.class, "a number");
        return value.isPresent() ? OptionalDouble.of(value.get().doubleValue()) : OptionalDouble.empty();
    }

    public Optional<Boolean> flag(String key) {
        return find(key, Boolean.class, "true or false");
    }

    /** A value in words, arrays only by type and length; for people. */
    public Optional<String> describe(String key) {
        return Optional.ofNullable(entries.get(key)).map(entry -> entry.value().toString());
    }

    Optional<KeyArray> array(String key) {
        return find(key, KeyArray.class, "an array");
    }

    boolean contains(String key) {
        return entries.containsKey(key);
    }

    boolean isArray(String key) {
        Entry entry = entries.get(key);
        return entry != null && entry.value() instanceof KeyArray;
    }

    ModelFileException wrong(String key, Object found, String expected) {
        Entry entry = entries.get(key);
        return entry == null || entry.offset() < 0
                ? ModelFileException.field(file, writtenAs.getOrDefault(key, key), found, expected)
                : ModelFileException.at(file, entry.offset(), key, found, expected);
    }

    ModelFileException missing(String key, String expected) {
        return ModelFileException.field(file, writtenAs.getOrDefault(key, key), "nothing", expected);
    }

    private <T> Optional<T> find(String key, Class<T> type, String expected) {
        Entry entry = entries.get(key);
        if (entry == null) {
            return Optional.empty();
        }
        if (!type.isInstance(entry.value())) {
            throw wrong(key, describeType(entry.value()), expected);
        }
        return Optional.of(type.cast(entry.value()));
    }

    private static String describeType(Object value) {
        return switch (value) {
            case String text -> "text of %d characters".formatted(text.length());
            default -> value.toString();
        };
    }
}
