package io.baton.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * One JVM that runs the real {@code baton} command, from this test's class path, and what signals do to it. Its stderr
 * is kept in a file; its metrics are read as an operator would. Any thread.
 */
public final class BatonProcess implements AutoCloseable {

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Duration ANSWER = Duration.ofSeconds(2);

    private final String name;
    private final Path log;
    private final Process process;
    private final CompletableFuture<Integer> port = new CompletableFuture<>();
    private final CompletableFuture<Integer> metricsPort = new CompletableFuture<>();

    private BatonProcess(String name, Path log, Process process) {
        this.name = name;
        this.log = log;
        this.process = process;
    }

    /**
     * Starts a service on free ports of loopback.
     *
     * @param name what this test calls it
     * @param log stderr goes there
     * @param arguments the role first
     */
    public static BatonProcess start(String name, Path log, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                "io.baton.cli.Baton"));
        command.addAll(arguments);
        command.add("--metrics-port=0");
        try {
            Process process =
                    new ProcessBuilder(command).redirectError(log.toFile()).start();
            BatonProcess started = new BatonProcess(name, log, process);
            Thread.ofVirtual().name(name + "-stdout").start(started::readPorts);
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void readPorts() {
        Map<String, CompletableFuture<Integer>> ports = Map.of("grpc", port, "metrics", metricsPort);
        try (BufferedReader out = process.inputReader()) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                String[] words = line.split(" ", -1);
                if (words.length == 3 && ports.containsKey(words[1])) {
                    ports.get(words[1]).complete(Integer.parseInt(words[2].substring(words[2].lastIndexOf(':') + 1)));
                }
            }
            unknown(new IllegalStateException(name + " ended before it served:\n" + log()));
        } catch (IOException e) {
            unknown(e);
        }
    }

    private void unknown(Exception end) {
        port.completeExceptionally(end);
        metricsPort.completeExceptionally(end);
    }

    /** The gRPC port, as soon as the process has printed it. */
    public CompletableFuture<Integer> port() {
        return port;
    }

    /** SIGKILL: the process ends at once, whatever it does. */
    public void kill() {
        process.destroyForcibly();
    }

    /** SIGSTOP: the process does nothing more and closes nothing. */
    public void stop() {
        signal("STOP");
    }

    /** SIGCONT: it goes on, as if no time had passed. */
    public void resume() {
        signal("CONT");
    }

    /** SIGTERM: the process drains, then ends. */
    public void terminate() {
        process.destroy();
    }

    private void signal(String signal) {
        try {
            Process kill = new ProcessBuilder("sh", "-c", "kill -%s %d".formatted(signal, process.pid()))
                    .inheritIO()
                    .start();
            if (kill.waitFor() != 0) {
                throw new IllegalStateException("SIG%s did not reach %s:%n%s".formatted(signal, name, log()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a test", e);
        }
    }

    /** The exit code, which must come within {@code limit}. */
    public int exitCode(Duration limit) throws InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("%s still runs after %s:%n%s".formatted(name, limit, log()));
        }
        return process.exitValue();
    }

    /**
     * What its metrics endpoint says now; only once it serves.
     *
     * @param format the media type asked for
     */
    public String metrics(String format) {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:%d/metrics".formatted(metricsPort.join())))
                .header("Accept", format)
                .timeout(ANSWER)
                .build();
        try {
            return HTTP.send(request, BodyHandlers.ofString()).body();
        } catch (IOException e) {
            throw new UncheckedIOException("%s tells no metrics:%n%s".formatted(name, log()), e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a test", e);
        }
    }

    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
