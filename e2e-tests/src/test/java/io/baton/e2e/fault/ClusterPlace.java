package io.baton.e2e.fault;

import io.baton.e2e.BatonProcess;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A place in a {@link ProcessCluster}. Peers know it by its proxy's address, which stays; the process behind it can be
 * killed and replaced. Confined to the test's thread.
 */
final class ClusterPlace implements AutoCloseable {

    private final String name;
    private final Path folder;
    private final FaultProxy proxy = FaultProxy.to(1); // nobody listens there; until a process does
    private List<String> arguments = List.of();
    private Optional<BatonProcess> process = Optional.empty();
    private CompletableFuture<Void> serving = new CompletableFuture<>();
    private int starts;
    private boolean stopped;

    /** Takes an address; {@link #start} puts a process behind it. */
    ClusterPlace(String name, Path folder) {
        this.name = name;
        this.folder = folder;
    }

    String name() {
        return name;
    }

    String address() {
        return proxy.address();
    }

    FaultProxy proxy() {
        return proxy;
    }

    /** Starts a process; returns before it serves. */
    void start(List<String> roleAndFlags) {
        arguments = roleAndFlags;
        start();
    }

    private void start() {
        BatonProcess started =
                BatonProcess.start(name, folder.resolve("%s-%d.log".formatted(name, ++starts)), arguments);
        process = Optional.of(started);
        serving = started.port().thenAccept(proxy::retarget);
    }

    /** Waits until the process serves. */
    void awaitServing() {
        serving.join();
    }

    /** Whether the process serves; one that takes another's place does not at first. */
    boolean isServing() {
        return serving.isDone();
    }

    /** Kills the process; another one begins to start in its place. */
    void killAndReplace() {
        process().kill();
        start();
    }

    void stop() {
        process().stop();
        stopped = true;
    }

    void resume() {
        if (stopped) {
            stopped = false;
            process().resume();
        }
    }

    BatonProcess process() {
        return process.orElseThrow();
    }

    Gauges gauges() {
        return Gauges.parse(process().metrics("text/plain"));
    }

    @Override
    public String toString() {
        return name;
    }

    @Override
    public void close() {
        process.ifPresent(BatonProcess::close);
        proxy.close();
    }
}
