package io.baton.cli;

import io.baton.serving.Drain;
import io.baton.serving.ListenSettings;
import io.baton.serving.Setting;
import io.baton.serving.Settings;
import io.baton.serving.telemetry.Telemetry;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What the commands that serve share: layered settings, {@code --print-config}, and logging set up before anything
 * else.
 */
abstract class ServiceCommand implements Callable<Integer> {

    private final Surroundings surroundings;
    private final List<Setting<?>> settings;
    private final ProcessSettings.LogLevel logLevel;

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Settings as YAML or properties; environment (BATON_…) and flags win")
    private @Nullable Path config;

    @Option(names = "--print-config", description = "Print every setting with its origin, then exit")
    private boolean printConfig;

    /** @param settings what this command's process can be told */
    ServiceCommand(Surroundings surroundings, List<Setting<?>> settings) {
        this(surroundings, settings, ProcessSettings.LogLevel.INFO);
    }

    /** @param logLevel unless one is given */
    ServiceCommand(Surroundings surroundings, List<Setting<?>> settings, ProcessSettings.LogLevel logLevel) {
        this.surroundings = surroundings;
        this.logLevel = logLevel;
        this.settings = settings;
    }

    @Override
    public final Integer call() throws Exception {
        Configuration configuration = new Configuration(
                Optional.ofNullable(config), surroundings.environment(), SettingOptions.given(spec(), settings));
        Settings all = configuration.load(settings);
        if (printConfig) {
            out().print(all.print());
            out().flush();
            return 0;
        }
        ProcessSettings.setUpLogging(all, logLevel);
        return run(configuration);
    }

    abstract int run(Configuration configuration) throws Exception;

    List<Setting<?>> settings() {
        return settings;
    }

    Surroundings surroundings() {
        return surroundings;
    }

    /** What tells this process from others like it: the pod or machine, and its port there, if it was told one. */
    String instance(ListenSettings listen) {
        String host = surroundings.environment().getOrDefault("HOSTNAME", listen.host());
        String process = listen.port() == 0 ? "pid-" + ProcessHandle.current().pid() : String.valueOf(listen.port());
        return host + ":" + process;
    }

    /** Says which ports are open: a line for each of the nodes' and one for the process's metrics. */
    void print(List<Endpoint> nodes, String process, Telemetry telemetry) {
        nodes.forEach(out()::println);
        Endpoint.ofMetrics(process, telemetry).ifPresent(out()::println);
        out().flush();
    }

    /** To be called before anything else is added: what was added first drains last. */
    static void flushInTheEnd(Telemetry telemetry, Drain drain) {
        drain.add("telemetry", limit -> telemetry.close());
    }

    CommandSpec spec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls");
        }
        return spec;
    }

    PrintWriter out() {
        return spec().commandLine().getOut();
    }

    PrintWriter err() {
        return spec().commandLine().getErr();
    }
}
