package io.baton.cli;

import io.baton.cli.trace.SpanReceiver;
import io.baton.cli.trace.Trace;
import io.baton.cli.trace.TraceFeed;
import io.baton.cli.trace.Waterfall;
import io.baton.serving.ListenSettings;
import io.baton.serving.TlsSettings;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "trace",
        description = {
            "Draws requests over time, as they end: receives the traces of processes that were started with",
            "--otlp-endpoint http://HOST:PORT of this one, until Ctrl-C. Prints `trace otlp HOST:PORT` when it listens."
        })
final class TraceCommand implements Callable<Integer> {

    /** Exporters send once a second, each process for itself. */
    private static final Duration SETTLE = Duration.ofMillis(500);

    private static final Duration PATIENCE = Duration.ofSeconds(4);
    private static final Duration A_WHILE = Duration.ofSeconds(1);

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--host",
            paramLabel = "HOST",
            defaultValue = "127.0.0.1",
            description = "Address to listen on (default: 127.0.0.1)")
    private String host = "127.0.0.1";

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "4317",
            description = "Port to listen on; 0 picks a free one (default: 4317)")
    private int port;

    @Option(names = "--insecure", description = "Allow plaintext on an address other than loopback")
    private boolean insecure;

    @Option(names = "--count", paramLabel = "N", description = "End after N requests (default: at Ctrl-C)")
    private @Nullable Integer count;

    @Option(
            names = "--width",
            paramLabel = "N",
            defaultValue = "110",
            description = "Characters of a line (default: 110)")
    private int width;

    @Override
    public Integer call() throws InterruptedException {
        CommandSpec command = Objects.requireNonNull(spec, "picocli sets the spec before it calls");
        require(command, port >= 0 && port <= 65535, "--port", "a port, 0 to 65535", port);
        require(command, count == null || count > 0, "--count", "at least 1", count);
        require(command, width >= 60 && width <= 1000, "--width", "60 to 1000", width);
        PrintWriter out = command.commandLine().getOut();
        ListenSettings listen = new ListenSettings(
                host,
                port,
                Optional.empty(),
                new TlsSettings(Optional.empty(), Optional.empty(), Optional.empty(), "baton", insecure));
        TraceFeed feed = new TraceFeed(System::nanoTime, SETTLE, PATIENCE);
        Waterfall waterfall = new Waterfall(width);
        try (SpanReceiver receiver = SpanReceiver.start(listen, feed)) {
            out.println(new Endpoint("trace", "otlp", host + ":" + receiver.port()));
            out.flush();
            for (int drawn = 0; count == null || drawn < count; ) {
                Optional<Trace> next = feed.next(A_WHILE);
                if (next.isPresent()) {
                    drawn++;
                    out.println();
                    waterfall.draw(next.get()).forEach(out::println);
                    out.flush();
                }
            }
        }
        return 0;
    }

    private static void require(
            CommandSpec command, boolean holds, String option, String expected, @Nullable Object found) {
        if (!holds) {
            throw new ParameterException(
                    command.commandLine(), "%s: expected %s, found %s".formatted(option, expected, found));
        }
    }
}
