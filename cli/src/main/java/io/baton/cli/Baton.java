package io.baton.cli;

import io.baton.bench.SyntheticShape;
import io.baton.client.BatonException;
import io.baton.engine.EngineException;
import io.baton.model.files.ModelFileException;
import io.baton.serving.ServingException;
import io.baton.serving.SettingsException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code baton} command. Exit codes: 0 done, 1 failed, 2 usage. */
@Command(
        name = "baton",
        description = "LLM inference split into prefill and decode tiers.",
        versionProvider = Baton.Version.class,
        scope = ScopeType.INHERIT,
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true)
public final class Baton implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    Baton() {}

    public static void main(String[] arguments) {
        // Text is UTF-8 whatever the locale says: a model's answer rarely fits into ASCII.
        PrintWriter out = utf8(FileDescriptor.out);
        PrintWriter err = utf8(FileDescriptor.err);
        System.exit(run(Surroundings.ofProcess(), out, err, arguments));
    }

    /**
     * Runs one command to its end in this process, as {@link #main} would in a process of its own.
     *
     * @param environment variables; those that begin with {@code BATON_} are settings
     * @param input read only by commands that take a prompt and were given none
     * @return the exit code
     */
    public static int run(
            Map<String, String> environment, InputStream input, PrintWriter out, PrintWriter err, String... arguments) {
        return run(new Surroundings(environment, input, false), out, err, arguments);
    }

    private static int run(Surroundings surroundings, PrintWriter out, PrintWriter err, String... arguments) {
        int code = commandLine(surroundings, out, err).execute(arguments);
        out.flush();
        err.flush();
        return code;
    }

    private static PrintWriter utf8(FileDescriptor descriptor) {
        return new PrintWriter(new OutputStreamWriter(new FileOutputStream(descriptor), StandardCharsets.UTF_8));
    }

    static CommandLine commandLine(Surroundings surroundings, PrintWriter out, PrintWriter err) {
        CommandLine baton = new CommandLine(new Baton());
        add(baton, new DemoCommand(surroundings));
        add(baton, new UpCommand(surroundings));
        add(baton, new PrefillCommand(surroundings));
        add(baton, new DecodeCommand(surroundings));
        add(baton, new GatewayCommand(surroundings));
        baton.addSubcommand(new GenerateCommand(surroundings));
        baton.addSubcommand(new TraceCommand());
        baton.addSubcommand(new TokenizeCommand());
        InspectCommand inspect = new InspectCommand(surroundings);
        CommandLine inspecting = new CommandLine(inspect);
        SettingOptions.add(inspecting.getCommandSpec(), InspectCommand.SETTINGS);
        baton.addSubcommand(inspecting);
        baton.addSubcommand(new CommandLine(new BenchCommand())
                .addSubcommand(new BenchEngineCommand(surroundings))
                .addSubcommand(new BenchNumericsCommand(surroundings))
                .addSubcommand(new BenchTtftCommand(surroundings)));
        baton.addSubcommand(new CompletionCommand());
        return baton.setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .registerConverter(BenchModelOptions.Quant.class, BenchModelOptions.Quant::of)
                .registerConverter(SyntheticShape.class, BenchModelOptions::shape)
                .registerConverter(io.baton.client.Fallback.class, EnumText.of(io.baton.client.Fallback.class))
                .setExecutionExceptionHandler((thrown, command, parsed) -> failure(thrown, command));
    }

    private static void add(CommandLine baton, ServiceCommand command) {
        CommandLine subcommand = new CommandLine(command);
        SettingOptions.add(subcommand.getCommandSpec(), command.settings());
        baton.addSubcommand(subcommand);
    }

    private static int failure(Exception thrown, CommandLine command) {
        PrintWriter err = command.getErr();
        String name = command.getCommandSpec().qualifiedName();
        switch (thrown) {
            case ParameterException usage -> throw usage;
            case SettingsException usage -> {
                err.println(name + ": " + usage.getMessage());
                err.flush();
                return CommandLine.ExitCode.USAGE;
            }
            case CommandException _, ServingException _, ModelFileException _, EngineException _, BatonException _ ->
                err.println(name + ": " + thrown.getMessage());
            default -> {
                err.println(name + ": unexpected failure");
                thrown.printStackTrace(err);
            }
        }
        err.flush();
        return CommandLine.ExitCode.SOFTWARE;
    }

    /** Without a subcommand: usage, as an error. */
    @Override
    public void run() {
        CommandSpec command = Objects.requireNonNull(spec, "picocli sets the spec before it runs");
        throw new ParameterException(command.commandLine(), "Missing required subcommand");
    }

    /** From the jar's manifest. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Baton.class.getPackage().getImplementationVersion();
            return new String[] {"baton " + (version == null ? "(built from classes)" : version)};
        }
    }
}
