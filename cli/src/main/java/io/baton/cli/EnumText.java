package io.baton.cli;

import io.baton.client.Fallback;
import io.baton.client.PrefillMode;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Enum constants on the command line: lower case with hyphens, as settings spell them. */
final class EnumText {

    private EnumText() {}

    static <E extends Enum<E>> ITypeConverter<E> of(Class<E> type) {
        return text -> Arrays.stream(type.getEnumConstants())
                .filter(constant -> spelling(constant).equals(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("expected %s, found \"%s\""
                        .formatted(
                                Arrays.stream(type.getEnumConstants())
                                        .map(EnumText::spelling)
                                        .collect(Collectors.joining(", ")),
                                text)));
    }

    /** What a shell offers for {@link PrefillMode}. */
    static final class PrefillModes implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return spellings(PrefillMode.values());
        }
    }

    /** What a shell offers for {@link Fallback}. */
    static final class Fallbacks implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return spellings(Fallback.values());
        }
    }

    private static Iterator<String> spellings(Enum<?>[] constants) {
        return Arrays.stream(constants).map(EnumText::spelling).iterator();
    }

    private static String spelling(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
