package io.baton.serving;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One configuration key with its type, default and meaning. The same key is a line of a configuration file
 * ({@code chunk-tokens}), an environment variable ({@code BATON_CHUNK_TOKENS}) and a flag ({@code --chunk-tokens}).
 * Immutable.
 */
public final class Setting<T> {

    private static final Pattern KEBAB = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");

    private static final String PATH = "PATH";

    private final String key;
    private final String placeholder;
    private final String description;
    private final Function<String, T> parser;
    private final Optional<String> defaultText;
    private final Optional<T> absent; // what a setting without a value yields; empty when it must be given
    private final boolean secret;

    private Setting(
            String key,
            String placeholder,
            String description,
            Function<String, T> parser,
            Optional<String> defaultText,
            Optional<T> absent,
            boolean secret) {
        if (!KEBAB.matcher(key).matches()) {
            throw new IllegalArgumentException("a setting's key is kebab-case, found " + key);
        }
        this.key = key;
        this.placeholder = placeholder;
        this.description = description;
        this.parser = parser;
        this.defaultText = defaultText;
        this.absent = absent;
        this.secret = secret;
        // A wrong default is a defect: fail where it is declared.
        defaultText.ifPresent(text -> Objects.requireNonNull(parser.apply(text), key));
    }

    public static Setting<String> text(String key, String description) {
        return of(key, "TEXT", description, text -> text);
    }

    public static Setting<Integer> integer(String key, String description) {
        return of(key, "N", description, SettingText::integer);
    }

    public static Setting<Double> real(String key, String description) {
        return of(key, "X", description, SettingText::real);
    }

    /** {@code true} or {@code false}; false unless given. */
    public static Setting<Boolean> flag(String key, String description) {
        return of(key, "", description, SettingText::flag).withDefault("false");
    }

    /** A byte count such as {@code 4GiB}. */
    public static Setting<Long> bytes(String key, String description) {
        return of(key, "SIZE", description, SettingText::bytes);
    }

    /** A duration such as {@code 250ms} or {@code 30s}. */
    public static Setting<Duration> duration(String key, String description) {
        return of(key, "DURATION", description, SettingText::duration);
    }

    public static Setting<Path> path(String key, String description) {
        return of(key, PATH, description, SettingText::path);
    }

    /** Comma-separated in flags and environment, a sequence in YAML; empty unless given. */
    public static Setting<List<String>> list(String key, String description) {
        return of(key, "A,B,…", description, SettingText::list).withDefault("");
    }

    /** One of an enum's constants, spelled in lower case with hyphens. */
    public static <E extends Enum<E>> Setting<E> oneOf(String key, Class<E> type, String description) {
        E[] constants = type.getEnumConstants();
        String choices = Arrays.stream(constants).map(SettingText::spelling).collect(Collectors.joining("|"));
        return of(key, choices, description, text -> SettingText.constant(constants, text));
    }

    private static <T> Setting<T> of(String key, String placeholder, String description, Function<String, T> parser) {
        return new Setting<>(key, placeholder, description, parser, Optional.empty(), Optional.empty(), false);
    }

    /** The same setting with a default, given as it would be written in a file. */
    public Setting<T> withDefault(String text) {
        return new Setting<>(key, placeholder, description, parser, Optional.of(text), absent, secret);
    }

    /** The same setting, which may be left out. */
    public Setting<Optional<T>> optional() {
        return new Setting<>(
                key,
                placeholder,
                description,
                text -> Optional.of(parser.apply(text)),
                defaultText,
                Optional.of(Optional.empty()),
                secret);
    }

    /** The same setting, refusing values that fail {@code check}; {@code expected} completes "expected …". */
    public Setting<T> checked(Predicate<T> check, String expected) {
        Function<String, T> checking = text -> {
            T value = parser.apply(text);
            if (!check.test(value)) {
                throw new IllegalArgumentException("expected " + expected);
            }
            return value;
        };
        return new Setting<>(key, placeholder, description, checking, defaultText, absent, secret);
    }

    /** The same setting; its value is never printed. */
    public Setting<T> secret() {
        return new Setting<>(key, placeholder, description, parser, defaultText, absent, true);
    }

    public String key() {
        return key;
    }

    /** How the value is named in help, e.g. {@code SIZE}; empty for a flag. */
    public String placeholder() {
        return placeholder;
    }

    /** Whether the value is the name of a file. */
    public boolean isPath() {
        return placeholder.equals(PATH);
    }

    /** The only values there are, as they are written; empty when there are others. */
    public Optional<List<String>> choices() {
        return placeholder.contains("|") ? Optional.of(List.of(placeholder.split("\\|", -1))) : Optional.empty();
    }

    public String description() {
        return description;
    }

    public Optional<String> defaultText() {
        return defaultText;
    }

    public boolean isSecret() {
        return secret;
    }

    /** {@code chunk-tokens} is {@code BATON_CHUNK_TOKENS}. */
    public String environmentVariable() {
        return "BATON_" + key.replace('-', '_').toUpperCase(Locale.ROOT);
    }

    Optional<T> absent() {
        return absent;
    }

    /** Throws {@link IllegalArgumentException} saying what was expected. */
    T parse(String text) {
        return parser.apply(text);
    }

    @Override
    public String toString() {
        return key;
    }
}
