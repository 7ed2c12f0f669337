/* What a guest of WasmFleet may ask of its board. Results are >= 0, or -errno with WASI's numbers; the WASI functions
 * (wasi_snapshot_preview1) answer 0 or a positive errno. A function that the manifest does not grant gives the errno
 * "not capable" (76). Wasm is 32 bits here: pointers and size_t are i32. */
#ifndef WASMFLEET_H
#define WASMFLEET_H

#include <stddef.h>
#include <stdint.h>

#define WF_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define WF_EXPORT(name) __attribute__((export_name(name)))

enum { WF_ENOTCAPABLE = 76, WF_EINVAL = 28 };

/* gpio: capability "gpio:<pin>" */
enum gpio_mode { GPIO_IN = 0, GPIO_OUT = 1, GPIO_IN_PULL_UP = 2, GPIO_IN_PULL_DOWN = 3 };
WF_IMPORT("gpio", "configure") int32_t gpio_configure(int32_t pin, int32_t mode);
WF_IMPORT("gpio", "read") int32_t gpio_read(int32_t pin);
WF_IMPORT("gpio", "write") int32_t gpio_write(int32_t pin, int32_t level);

/* adc: capability "adc:<pin>"; 0 to 65535 over the input's range */
WF_IMPORT("adc", "read") int32_t adc_read(int32_t pin);

/* telemetry: capability "telemetry:<name>"; the reading is value * 10^scale */
WF_IMPORT("telemetry", "publish") int32_t telemetry_publish(const char *name, size_t length, int32_t value, int32_t scale);

/* WASI preview 1, the part that boards have */
typedef struct { const void *data; size_t length; } wasi_ciovec;
typedef struct {
    uint64_t user;
    uint8_t tag;          /* 0: clock */
    _Alignas(8) uint32_t clock; /* 0: real time, 1: monotonic */
    uint64_t timeout_ns;
    uint64_t precision_ns;
    uint16_t flags;       /* 0: relative, 1: absolute */
} wasi_subscription;
typedef struct { uint64_t user; uint16_t error; uint8_t type; uint64_t nbytes; uint16_t flags; } wasi_event;
_Static_assert(sizeof(wasi_subscription) == 48 && sizeof(wasi_event) == 32, "layouts of WASI preview 1");

#define WF_WASI(name) WF_IMPORT("wasi_snapshot_preview1", #name)
WF_WASI(args_get) int32_t args_get(char **argv, char *buffer);
WF_WASI(args_sizes_get) int32_t args_sizes_get(size_t *count, size_t *bytes);
WF_WASI(environ_get) int32_t environ_get(char **environment, char *buffer);
WF_WASI(environ_sizes_get) int32_t environ_sizes_get(size_t *count, size_t *bytes);
WF_WASI(clock_res_get) int32_t clock_res_get(uint32_t clock, uint64_t *nanoseconds);
WF_WASI(clock_time_get) int32_t clock_time_get(uint32_t clock, uint64_t precision, uint64_t *nanoseconds);
WF_WASI(fd_write) int32_t fd_write(int32_t fd, const wasi_ciovec *parts, size_t count, size_t *written);
WF_WASI(poll_oneoff) int32_t poll_oneoff(const wasi_subscription *in, wasi_event *out, size_t count, size_t *events);
WF_WASI(proc_exit) _Noreturn void proc_exit(int32_t code);
WF_WASI(random_get) int32_t random_get(void *buffer, size_t length);
WF_WASI(sched_yield) int32_t sched_yield(void);

/* Sleep; the board goes on with its other work meanwhile. */
static inline void wf_sleep_ms(uint32_t ms) {
    static wasi_subscription wish = {.tag = 0, .clock = 1};
    wasi_event event;
    size_t count;
    wish.timeout_ns = (uint64_t)ms * 1000000u;
    poll_oneoff(&wish, &event, 1, &count);
}

/* Write to the log (fd 1); a newline ends a line. */
static inline void wf_log(const char *text, size_t length) {
    wasi_ciovec part = {text, length};
    size_t written;
    fd_write(1, &part, 1, &written);
}
#define WF_LOG(literal) wf_log(literal "\n", sizeof(literal))

#endif
