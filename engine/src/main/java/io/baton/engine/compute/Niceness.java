package io.baton.engine.compute;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * Compute threads give way to those that move messages. Where a thread computes on every processor, one that wakes up
 * for a few microseconds, to send a token, say, otherwise waits for the end of a time slice: 4 ms at the 99th
 * percentile on a Linux of 250 Hz. Computing ones that are nice enough let it in at once, and still have 14 % of a
 * processor that somebody else keeps busy. In a container only threads of the same container are affected.
 */
public final class Niceness {

    /** The least at which the waking thread got in at once every time; docs/decisions/0006 has the measurements. */
    static final int STEPS = 8;

    private Niceness() {}

    /**
     * Makes the calling thread nice, once in its life. Only on Linux, where niceness is a thread's and not a process's.
     */
    @SuppressWarnings("restricted") // the flag --enable-native-access is part of how every JVM of ours starts
    public static void giveWay() {
        if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux")) {
            return;
        }
        Linker linker = Linker.nativeLinker();
        MethodHandle nice = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("nice"), FunctionDescriptor.of(JAVA_INT, JAVA_INT));
        try {
            int _ = (int) nice.invokeExact(STEPS); // making oneself nicer needs no permission
        } catch (Throwable t) {
            throw new IllegalStateException("the thread's niceness could not be set", t);
        }
    }
}
