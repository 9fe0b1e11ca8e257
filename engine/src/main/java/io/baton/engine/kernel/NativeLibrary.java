package io.baton.engine.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The compiled kernels, shipped in the jar for the platform it was built on and loaded from a temporary file. Absent
 * where the build had no C compiler; then the Java kernels give the same results.
 */
final class NativeLibrary {

    /** An instruction set the library was compiled for, and the machine levels it needs. */
    private record InstructionSet(String name, int levels) {}

    /** Best first. Levels are the bits that {@code levels.c} documents. */
    private static final List<InstructionSet> INSTRUCTION_SETS = List.of(
            new InstructionSet("amx", 0b11111),
            new InstructionSet("avx512bf16", 0b01111),
            new InstructionSet("avx512vnni", 0b0111),
            new InstructionSet("avx512", 0b0011),
            new InstructionSet("avx2", 0b0001),
            new InstructionSet("i8mm", 0b111 << 8),
            new InstructionSet("dotprod", 0b011 << 8),
            new InstructionSet("neon", 0b001 << 8));

    private final SymbolLookup symbols;
    private final List<String> instructionSets;

    private NativeLibrary(SymbolLookup symbols) {
        this.symbols = symbols;
        int levels = levels(symbols);
        List<String> runnable = new ArrayList<>();
        for (InstructionSet set : INSTRUCTION_SETS) {
            if ((levels & set.levels()) == set.levels()
                    && symbols.find("baton_" + set.name() + "_attend").isPresent()) {
                runnable.add(set.name());
            }
        }
        this.instructionSets = List.copyOf(runnable);
    }

    /** The library, or why there is none. */
    sealed interface Loading {
        record Loaded(NativeLibrary library) implements Loading {}

        record Missing(String reason) implements Loading {}
    }

    static Loading load() {
        Optional<String> file = fileName();
        if (file.isEmpty()) {
            return new Loading.Missing("no native kernels for %s on %s"
                    .formatted(System.getProperty("os.name"), System.getProperty("os.arch")));
        }
        try (InputStream resource = NativeLibrary.class.getResourceAsStream("/native/" + file.get())) {
            if (resource == null) {
                return new Loading.Missing(
                        "this build has no native kernels (no C compiler was found when it was made)");
            }
            return new Loading.Loaded(new NativeLibrary(open(resource)));
        } catch (IOException | IllegalArgumentException e) {
            return new Loading.Missing("the native kernels could not be loaded: " + e.getMessage());
        }
    }

    /** Names of the instruction sets that this machine runs and this library has, best first. */
    List<String> instructionSets() {
        return instructionSets;
    }

    /** The function {@code name} compiled for {@code instructionSet}. */
    @SuppressWarnings("restricted") // the flag --enable-native-access is part of how every JVM of ours starts
    MethodHandle function(String instructionSet, String name, FunctionDescriptor type) {
        String symbol = "baton_" + instructionSet + "_" + name;
        return Linker.nativeLinker()
                .downcallHandle(
                        symbols.find(symbol)
                                .orElseThrow(() -> new IllegalStateException("no native function " + symbol)),
                        type);
    }

    @SuppressWarnings("restricted")
    private static int levels(SymbolLookup symbols) {
        MethodHandle levels = Linker.nativeLinker()
                .downcallHandle(
                        symbols.find("baton_levels").orElseThrow(() -> new IllegalArgumentException("no baton_levels")),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT));
        try {
            return (int) levels.invokeExact();
        } catch (Throwable t) {
            throw new IllegalStateException("baton_levels failed", t);
        }
    }

    @SuppressWarnings("restricted")
    private static SymbolLookup open(InputStream resource) throws IOException {
        Path copy = Files.createTempFile("baton-kernels", ".lib");
        try {
            Files.copy(resource, copy, StandardCopyOption.REPLACE_EXISTING);
            return SymbolLookup.libraryLookup(copy, Arena.global());
        } finally {
            Files.deleteIfExists(copy); // the mapping outlives the name
        }
    }

    private static Optional<String> fileName() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
        if (os.contains("linux") && (arch.equals("x86_64") || arch.equals("aarch64"))) {
            return Optional.of("linux-" + arch + "/libbaton-kernels.so");
        }
        if (os.contains("mac") && arch.equals("aarch64")) {
            return Optional.of("macos-aarch64/libbaton-kernels.dylib");
        }
        return Optional.empty();
    }
}
