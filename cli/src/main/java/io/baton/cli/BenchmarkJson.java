package io.baton.cli;

import io.baton.bench.BenchmarkRow;
import io.baton.bench.BenchmarkSubject;
import io.baton.bench.MachineLimits;
import io.baton.bench.Multiplication;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** One JSON object per row and line; what holds for the whole run is in each of them. */
final class BenchmarkJson implements BenchmarkOutput {

    private final JsonMapper json = new JsonMapper();
    private final PrintWriter out;
    private final BenchmarkSubject subject;
    private final Optional<MachineLimits> limits;

    BenchmarkJson(PrintWriter out, BenchmarkSubject subject, Optional<MachineLimits> limits) {
        this.out = out;
        this.subject = subject;
        this.limits = limits;
    }

    @Override
    public void begin() {
        // The rows say it all.
    }

    @Override
    public void row(BenchmarkRow row) {
        ObjectNode line = json.createObjectNode()
                .put("test", row.test())
                .put("model", subject.model())
                .put("quant", subject.quant())
                .put("activations", lower(subject.activations()))
                .put("kvDtype", lower(subject.kv()))
                .put("kernels", subject.kernels())
                .put("threads", subject.threads())
                .put("tokensPerSecond", row.tokensPerSecond())
                .put("lowest", row.lowest())
                .put("highest", row.highest())
                .put("bytesPerSecond", row.bytesPerSecond())
                .put("operationsPerSecond", row.operationsPerSecond())
                .put("limit", row.limit())
                .put("fractionOfLimit", row.fractionOfLimit())
                .put("loadSeconds", subject.loadSeconds())
                .put("fileBytes", subject.fileBytes())
                .put("residentBytes", subject.residentBytes());
        limits.ifPresent(machine -> line.putObject("machine")
                .put("readBytesPerSecond", machine.readBytesPerSecond())
                .put("f32OperationsPerSecond", machine.operationsPerSecond(Multiplication.F32))
                .put("bf16OperationsPerSecond", machine.operationsPerSecond(Multiplication.BF16))
                .put("int8OperationsPerSecond", machine.operationsPerSecond(Multiplication.INT8))
                .put("int8NarrowOperationsPerSecond", machine.operationsPerSecond(Multiplication.INT8_NARROW)));
        out.println(line);
        out.flush();
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
