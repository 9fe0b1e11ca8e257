package io.baton.cli;

import io.baton.model.files.ModelFile;
import io.baton.text.EncodeOptions;
import io.baton.text.Tokenizer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "tokenize", description = "Shows a text as the token ids of a model's vocabulary.")
final class TokenizeCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "PATH",
            description = "Model: a GGUF file or a Hugging Face folder; the embedded one unless given")
    private @Nullable Path model;

    @Option(names = "--special", description = "Read the text of special tokens as those tokens")
    private boolean special;

    @Option(names = "--no-bos", description = "Leave out the begin-of-sequence token")
    private boolean noBos;

    @Option(names = "--ids", description = "Print the ids alone, separated by commas, as --token-ids takes them")
    private boolean idsOnly;

    @Parameters(paramLabel = "TEXT", description = "What to tokenize")
    private String text = "";

    @Override
    public Integer call() {
        PrintWriter out = Objects.requireNonNull(spec, "picocli sets the spec before it calls")
                .commandLine()
                .getOut();
        try (ModelChoice choice = ModelChoice.of(model);
                ModelFile file = ModelFile.open(choice.path())) {
            Tokenizer tokenizer = Tokenizer.of(file.vocabulary());
            int[] ids = tokenizer.encode(text, new EncodeOptions(!noBos, special));
            if (idsOnly) {
                out.println(Arrays.stream(ids).mapToObj(String::valueOf).collect(Collectors.joining(",")));
            } else {
                for (int id : ids) {
                    out.println("%7d  %s".formatted(id, TokenText.shown(tokenizer.bytes(id))));
                }
                out.println("%7d  tokens".formatted(ids.length));
            }
            out.flush();
        }
        return 0;
    }
}
