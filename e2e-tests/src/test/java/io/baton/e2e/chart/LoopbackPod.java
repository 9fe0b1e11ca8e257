package io.baton.e2e.chart;

import static io.baton.e2e.chart.HelmChart.text;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * A rendered container as a process of this machine: its arguments, its environment, its probes. What a cluster
 * provides is replaced by loopback: every pod has an address of its own, and names of Services stand for these.
 */
final class LoopbackPod implements AutoCloseable {

    private final String address;
    private final JsonNode container;
    private final Path log;
    private final Process process;

    private LoopbackPod(String address, JsonNode container, Path log, Process process) {
        this.address = address;
        this.container = container;
        this.log = log;
        this.process = process;
    }

    /**
     * @param addresses of pods by the name under which others know them
     * @param secrets values of the keys that the environment takes from secrets
     */
    static LoopbackPod start(
            JsonNode container, String address, Map<String, String> addresses, Map<String, String> secrets, Path folder)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        // The image's entry point has these; here they are the ones of the build.
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--"))
                .forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.baton.cli.Baton"));
        HelmChart.arguments(container).stream()
                .map(argument -> onLoopback(argument, address, addresses))
                .forEach(command::add);
        String role = command.get(command.indexOf("io.baton.cli.Baton") + 1);
        Path log = folder.resolve(role + ".log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment(container, address, secrets));
        return new LoopbackPod(address, container, log, builder.start());
    }

    private static String onLoopback(String argument, String address, Map<String, String> addresses) {
        String placed = argument.replace("$(POD_IP)", address).replace("=0.0.0.0", "=" + address);
        for (Map.Entry<String, String> named : addresses.entrySet()) {
            placed = placed.replace("=" + named.getKey() + ":", "=" + named.getValue() + ":");
        }
        return placed;
    }

    private static Map<String, String> environment(JsonNode container, String address, Map<String, String> secrets) {
        Map<String, String> environment = new HashMap<>();
        for (JsonNode variable : container.at("/env")) {
            String secretKey = text(variable, "/valueFrom/secretKeyRef/key");
            String value = text(variable, "/valueFrom/fieldRef/fieldPath").equals("status.podIP")
                    ? address
                    : secretKey.isEmpty() ? text(variable, "/value") : secrets.getOrDefault(secretKey, "");
            environment.put(text(variable, "/name"), value);
        }
        // In a pod this is the limit of its control group, which process and JVM find by themselves.
        String memory = text(container, "/resources/limits/memory");
        environment.put("BATON_MEMORY_LIMIT", memory + "B");
        environment.merge(
                "JAVA_TOOL_OPTIONS", "-XX:MaxRAM=" + memory.replace("i", ""), (own, limit) -> limit + " " + own);
        return environment;
    }

    /** Waits as the kubelet would for a probe to succeed, as long as it would at most. */
    void awaitProbe(String probe) throws InterruptedException {
        JsonNode settings = container.at("/" + probe);
        long seconds = settings.at("/failureThreshold").asLong()
                * settings.at("/periodSeconds").asLong();
        String service = text(settings, "/grpc/service");
        if (!awaitHealth(settings.at("/grpc/port").asInt(), service, Math.max(60, seconds))) {
            throw new AssertionError("%s of %s did not succeed:%n%s".formatted(probe, log.getFileName(), output()));
        }
    }

    private boolean awaitHealth(int port, String service, long seconds) throws InterruptedException {
        ManagedChannel channel = Grpc.newChannelBuilder(address + ":" + port, InsecureChannelCredentials.create())
                .build();
        CompletableFuture<Void> ended =
                process.onExit().thenRun(channel::shutdownNow); // a dead process answers no probe
        try {
            HealthCheckRequest request =
                    HealthCheckRequest.newBuilder().setService(service).build();
            Iterator<HealthCheckResponse> answers = HealthGrpc.newBlockingStub(channel)
                    .withWaitForReady()
                    .withDeadlineAfter(seconds, TimeUnit.SECONDS)
                    .watch(request);
            while (answers.hasNext()) {
                if (answers.next().getStatus() == ServingStatus.SERVING) {
                    return true;
                }
            }
            return false;
        } catch (StatusRuntimeException e) {
            return false;
        } finally {
            ended.cancel(false);
            channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
    }

    /** As the kubelet stops a pod, without preStop's wait for endpoints. */
    void terminate() {
        process.destroy();
    }

    /** The exit code, within {@code seconds}. */
    int exitCode(long seconds) throws InterruptedException {
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            throw new AssertionError("%s still runs after %d s:%n%s".formatted(log.getFileName(), seconds, output()));
        }
        return process.exitValue();
    }

    String output() {
        try (Stream<String> lines = Files.lines(log)) {
            return String.join("\n", lines.toList());
        } catch (IOException e) {
            return "(no output: " + e.getMessage() + ")";
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
