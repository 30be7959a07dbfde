/* The little of a C library that a generated program prints with. The whole of printf would be most of its code. */
#include <stdarg.h>
#include <unistd.h>

static char line[256];

int printf(const char *format, ...) {
    va_list values;
    size_t length = 0;
    va_start(values, format);
    for (; *format && length < 200; format++) {
        if (*format != '%') { line[length++] = *format; continue; }
        while (*++format == 'l') {}
        if (*format == 's') {
            for (const char *text = va_arg(values, const char *); *text && length < 200; text++) line[length++] = *text;
        } else {
            unsigned value = va_arg(values, unsigned);
            for (int shift = 28; shift >= 0; shift -= 4) line[length++] = "0123456789ABCDEF"[value >> shift & 15];
        }
    }
    va_end(values);
    write(1, line, length);
    return (int)length;
}
