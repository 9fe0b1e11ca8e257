package io.baton.transfer;

import com.sun.management.OperatingSystemMXBean;
import io.baton.proto.v1.PrefillStart;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Prints how fast finished blocks move between two sides of one process: {@code java … TransferThroughput [MiB] [unit
 * KiB] [rounds]}. Both sides share the machine's cores, so the rate is that of a few busy threads, not of a network;
 * the CPU time does not depend on what else the machine does.
 */
public final class TransferThroughput {

    private TransferThroughput() {}

    public static void main(String[] arguments) throws Exception {
        int mebibytes = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 256;
        int unitBytes = (arguments.length > 1 ? Integer.parseInt(arguments[1]) : 64) << 10;
        int rounds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 12;
        int layers = 16;
        int blocks = (int) (((long) mebibytes << 20) / unitBytes / layers);
        TransferShape shape = TransferShape.of(layers, unitBytes, 32, blocks * 32);
        TestingBlocks source = TestingBlocks.random(shape, new Random(1));
        TestingBlocks target = TestingBlocks.zeroed(shape, new Random(2));
        ExecutorService senders =
                Executors.newFixedThreadPool(1, Thread.ofPlatform().daemon().factory());
        Timing timing = Timing.ofSystem("timing");
        TestingPrefill prefill = new TestingPrefill(senders, timing);
        prefill.shape = shape;
        prefill.script = sender -> {
            sender.started(0, source::unit);
            for (int layer = 0; layer < layers; layer++) {
                sender.layerReady(layer, 0, shape.tokens());
            }
            sender.finished(new float[4096], SenderTimes.NONE);
        };
        Server tcp = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addServices(prefill.services())
                .build()
                .start();
        ManagedChannel overTcp = NettyChannelBuilder.forAddress(
                        tcp.getListenSockets().getFirst())
                .usePlaintext()
                .flowControlWindow(4 << 20)
                .build();
        Server local = InProcessServerBuilder.forName("throughput")
                .addServices(prefill.services())
                .build()
                .start();
        ManagedChannel inProcess = InProcessChannelBuilder.forName("throughput").build();
        System.out.printf("%d MiB in units of %d KiB%n", mebibytes, unitBytes >> 10);
        measure("loopback TCP", overTcp, shape, target, timing, rounds);
        measure("in-process", inProcess, shape, target, timing, rounds);
        if (!target.equalTo(source)) {
            throw new AssertionError("bytes differ");
        }
        overTcp.shutdownNow();
        inProcess.shutdownNow();
        tcp.shutdownNow();
        local.shutdownNow();
    }

    private static void measure(
            String name, ManagedChannel channel, TransferShape shape, TestingBlocks target, Timing timing, int rounds)
            throws Exception {
        StringBuilder line = new StringBuilder(name).append(", GiB/s (CPU s/GiB of both sides):");
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        for (int round = 0; round < rounds; round++) {
            long cpuBefore = system.getProcessCpuTime();
            CompletableFuture<ReceiveOutcome> outcome = new CompletableFuture<>();
            CompletableFuture<Boolean> computing = new CompletableFuture<>();
            VerifiedBlocks nothing = VerifiedBlocks.whole(0, shape.layers());
            ReceivePlan plan = new ReceivePlan(
                    TestingFrames.HANDOFF,
                    shape,
                    TestingBlocks.hashes(shape),
                    nothing,
                    4096,
                    Duration.ofSeconds(2),
                    WireVersions.SUPPORTED);
            KvReceiver receiver = KvReceiver.prefill(
                    channel,
                    CallOptions.DEFAULT,
                    PrefillStart.newBuilder(),
                    plan,
                    new ReceiveListener() {
                        @Override
                        public void progress(ProgressReport report) {
                            computing.complete(true);
                        }

                        @Override
                        public void verified(int wholeBlocks) {}

                        @Override
                        public void ended(ReceiveOutcome told) {
                            outcome.complete(told);
                        }
                    },
                    timing);
            computing.get(10, TimeUnit.SECONDS);
            receiver.grant(target::unit);
            ReceiveOutcome told = outcome.get(60, TimeUnit.SECONDS);
            if (!(told instanceof ReceiveOutcome.Complete complete)) {
                throw new AssertionError(told);
            }
            double gibibytes = complete.received().bytes() / (double) (1 << 30);
            line.append(" %.2f (%.2f)"
                    .formatted(
                            gibibytes / (complete.elapsed().toNanos() / 1e9),
                            (system.getProcessCpuTime() - cpuBefore) / 1e9 / gibibytes));
        }
        System.out.println(line);
    }
}
