"""One row per host function that a guest may import; resolver, `fleet inspect`, docs and tests all read this table.

A group is [import module, file of this package, prefix of its methods, rows as text]. A row is: name, parameters, results,
capability, and the method where it isn't named prefix + name. Types are letters, i = i32, I = i64, f = f32, F = f64, - = none;
a name with several types has several rows, of which the type that the module declares picks one. The capability is what manifest and board must
both grant: ``clock``, ``random``, ``log``, ``kv``; a kind such as ``gpio`` is checked by number, and ``telemetry`` by name, inside the
function. Rows are text because text is dropped after linking without a trace; names in tuples would stay interned.

The sentence that documents a function is the docstring of its method, which costs nothing on the board. Signatures:
preview 1: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md (a size, pointer or handle is an i32);
arduino: wasm3/wasm3-arduino, examples_pio/Wasm_Advanced/wasm_vm/wasm_vm.ino; wiring: wasm3/embedded-wasm-apps, src/main.cpp;
WARDuino: TOPLLab/WARDuino, src/Primitives/{arduino,emulated,zephyr}.cpp and tutorials/rust/lib/warduino/src/linking.rs;
TinyGo: tinygo-org/tinygo, src/machine/machine_generic.go; AssemblyScript: std/assembly/builtins.ts and bindings/dom.ts.
"""

WASI = "wasi_snapshot_preview1"

_PREVIEW1 = """
clock_time_get iIi i clock
fd_write iiii i log
poll_oneoff iiii i clock
proc_exit i - -
sched_yield - i -
"""

_PROCESS = """
args_get ii i -
args_sizes_get ii i -
clock_res_get ii i clock
environ_get ii i -
environ_sizes_get ii i -
fd_close i i -
fd_fdstat_get ii i -
fd_seek iIii i -
random_get ii i random
"""

_FILES = """
fd_advise iIIi i - handle
fd_allocate iII i - handle
fd_datasync i i - handle
fd_fdstat_set_flags ii i - handle
fd_fdstat_set_rights iII i - handle
fd_filestat_get ii i -
fd_filestat_set_size iI i - handle
fd_filestat_set_times iIIi i - handle
fd_pread iiiIi i - position
fd_prestat_dir_name iii i -
fd_prestat_get ii i -
fd_pwrite iiiIi i - position
fd_read iiii i -
fd_readdir iiiIi i - folder
fd_renumber ii i -
fd_sync i i - handle
fd_tell ii i - position
path_create_directory iii i - folder
path_filestat_get iiiii i - folder
path_filestat_set_times iiiiIIi i - folder
path_link iiiiiii i - folder
path_open iiiiiIIii i - folder
path_readlink iiiiii i - folder
path_remove_directory iii i - folder
path_rename iiiiii i - folder
path_symlink iiiii i -
path_unlink_file iii i - folder
proc_raise i i -
sock_accept iii i - socket
sock_recv iiiiii i - socket
sock_send iiiii i - socket
sock_shutdown ii i - socket
"""

_GPIO = """
configure ii i gpio
read i i gpio
write ii i gpio
"""

_ADC = """
read i i adc
"""

_TELEMETRY = """
publish iiii i telemetry
"""

_I2C = """
configure iiii i i2c
write iiii i i2c
read iiii i i2c
transfer iiiiii i i2c
scan iii i i2c
"""

_SPI = """
configure iiiiii i spi
write iii i spi
read iiii i spi
transfer iiii i spi
"""

_PWM = """
configure ii i pwm
write ii i pwm
stop i i pwm
"""

_UART = """
configure iiii i uart
available i i uart
read iii i uart
write iii i uart
"""

_KV = """
get iiii i kv
set iiii i kv
delete ii i kv
"""

_ARDUINO = """
millis - i clock
delay i - clock
pinMode ii - gpio
digitalWrite ii - gpio
getPinLED - i -
getGreeting ii - -
print ii - log
"""

_WIRING = """
millis - i clock
delay i - clock
pinMode ii - gpio
digitalWrite ii - gpio
print ii - log
publish i - log
stopWdt - - -
"""

_TINYGO = """
__tinygo_gpio_configure ii - gpio gpio_configure
__tinygo_gpio_set ii - gpio gpio_set
__tinygo_gpio_get i i gpio gpio_get
__tinygo_adc_read i i adc adc_read
__tinygo_spi_configure iiii - spi spi_configure
__tinygo_spi_transfer ii i spi spi_transfer
__tinygo_spi_tx iiiii i spi spi_tx
__tinygo_i2c_configure iii - i2c i2c_configure
__tinygo_i2c_set_baud_rate ii - i2c i2c_set_baud_rate
__tinygo_i2c_transfer iiiii i i2c i2c_transfer
__tinygo_uart_configure iii - uart uart_configure
__tinygo_uart_read iii i uart uart_read
__tinygo_uart_write iii i uart uart_write
"""

_WARDUINO = """
abort - - -
millis - i clock
millis - I clock
micros - I clock
random_int - i random
print_int i - log
print_string ii - log
chip_delay i - clock
chip_delay_us i - clock
chip_pin_mode ii - gpio
chip_digital_write ii - gpio
chip_digital_read i i gpio
chip_analog_read i i adc
chip_analog_write ii - pwm
chip_analog_write ii i pwm
chip_analog_write iii - pwm chip_ledc_set_duty
chip_ledc_setup iii - pwm
chip_ledc_attach_pin ii - pwm
chip_ledc_attach iii - pwm
chip_ledc_set_duty iii - pwm
"""

_ASSEMBLYSCRIPT = """
abort iiii - -
trace iiFFFFF - log
seed - F random
console.log i - log console_log
Date.now - F clock date_now
"""

_PLACES = """
wasi_snapshot_preview1 preview1 -
wasi_snapshot_preview1 process -
wasi_snapshot_preview1 files -
gpio devices gpio_
adc devices adc_
telemetry devices telemetry_
i2c buses i2c_
spi buses spi_
pwm pwm pwm_
uart buses uart_
kv kv kv_
arduino wiring -
wiring wiring -
env tinygo -
env warduino -
env assemblyscript -
"""

_ROWS = (
    _PREVIEW1,
    _PROCESS,
    _FILES,
    _GPIO,
    _ADC,
    _TELEMETRY,
    _I2C,
    _SPI,
    _PWM,
    _UART,
    _KV,
    _ARDUINO,
    _WIRING,
    _TINYGO,
    _WARDUINO,
    _ASSEMBLYSCRIPT,
)


def groups():
    """Generator of the groups: a list of them all would take 2 KB while a guest is linked."""
    places = _PLACES.strip().split("\n")
    for i in range(len(_ROWS)):
        yield [word.replace("-", "") for word in places[i].split()] + [_ROWS[i]]
