package io.baton.cli;

import com.google.errorprone.annotations.FormatMethod;
import io.baton.bench.BenchmarkRow;
import io.baton.bench.BenchmarkSubject;
import io.baton.bench.MachineLimits;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;

/** Rows for people. */
final class BenchmarkTable implements BenchmarkOutput {

    private static final double GIGA = 1e9;

    private final PrintWriter out;
    private final BenchmarkSubject subject;
    private final Optional<MachineLimits> limits;

    BenchmarkTable(PrintWriter out, BenchmarkSubject subject, Optional<MachineLimits> limits) {
        this.out = out;
        this.subject = subject;
        this.limits = limits;
    }

    @Override
    public void begin() {
        line(
                "%s %s, %s activations, %s K and V, %s kernels, %d threads",
                subject.model(),
                subject.quant(),
                lower(subject.activations()),
                lower(subject.kv()),
                subject.kernels(),
                subject.threads());
        line(
                "machine    %s",
                limits.map(MachineLimits::describe).orElse("not measured: this build has no native kernels"));
        line(
                "load       %.2f s, %.1f GB/s of %.3f GB",
                subject.loadSeconds(), subject.fileBytes() / GIGA / subject.loadSeconds(), subject.fileBytes() / GIGA);
        if (subject.residentBytes() > 0) {
            line(
                    "resident   %.3f GB, %.2f of the file",
                    subject.residentBytes() / GIGA, (double) subject.residentBytes() / subject.fileBytes());
        }
        line("");
        line("%-14s %10s %22s %8s %9s  %s", "test", "tokens/s", "lowest … highest", "GB/s", "GFLOP/s", "of limit");
    }

    @Override
    public void row(BenchmarkRow row) {
        line(
                "%-14s %10.2f %10.2f … %9.2f %8.2f %9.2f  %s",
                row.test(),
                row.tokensPerSecond(),
                row.lowest(),
                row.highest(),
                row.bytesPerSecond() / GIGA,
                row.operationsPerSecond() / GIGA,
                limits.isPresent()
                        ? String.format(Locale.ROOT, "%3.0f %% of %s", 100 * row.fractionOfLimit(), row.limit())
                        : "");
    }

    @FormatMethod
    private void line(String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values).stripTrailing());
        out.flush();
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
