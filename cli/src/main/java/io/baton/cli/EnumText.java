package io.baton.cli;

import java.util.Arrays;
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

    private static String spelling(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
