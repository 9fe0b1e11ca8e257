package io.baton.e2e.trace;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The {@code baton} command in a JVM of its own. */
final class BatonProcess implements AutoCloseable {

    private final Process process;
    private final BufferedReader out;
    private final Path errors;

    private BatonProcess(Process process, Path errors) {
        this.process = process;
        this.out = process.inputReader();
        this.errors = errors;
    }

    static BatonProcess start(Path folder, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--"))
                .forEach(command::add);
        command.addAll(List.of("-Xmx256m", "-cp", System.getProperty("java.class.path"), "io.baton.cli.Baton"));
        command.addAll(List.of(arguments));
        Path errors = folder.resolve(arguments[0] + ".txt");
        return new BatonProcess(
                new ProcessBuilder(command).redirectError(errors.toFile()).start(), errors);
    }

    /** Reads what it prints up to the line that names a port, {@code decode grpc 127.0.0.1:7070}, and gives that. */
    String address(String protocol) throws IOException {
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            String[] words = line.split(" ", -1);
            if (words.length == 3 && words[1].equals(protocol)) {
                return words[2];
            }
        }
        throw new AssertionError("it named no %s port; stderr:%n%s".formatted(protocol, Files.readString(errors)));
    }

    /** Tells it to stop, as Ctrl-C does. */
    void terminate() {
        process.destroy();
    }

    /** Its exit code, within {@code seconds}. */
    int exitCode(long seconds) throws InterruptedException, IOException {
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            throw new AssertionError("it still runs; stderr:%n%s".formatted(Files.readString(errors)));
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
