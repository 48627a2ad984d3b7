#include "base/printable.h"

#include <cstddef>

namespace sim {
namespace {

std::string in_hex(unsigned value, int digits) {
  std::string text;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) text += "0123456789abcdef"[value >> shift & 15];
  return text;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = [&](std::size_t ahead) {
      return at + ahead < text.size() ? static_cast<unsigned char>(text[at + ahead]) : 0u;
    };
    const unsigned first = byte(0);
    const bool turns_direction = first == 0xE2 && ((byte(1) == 0x80 && byte(2) >= 0xAA && byte(2) <= 0xAE) ||
                                                   (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
    if (turns_direction) {
      shown += "\\u" + in_hex(0x2000 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 4);
      at += 2;
    } else if (first == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) {
      shown += "\\x" + in_hex(byte(1), 2);
      ++at;
    } else if ((first < 0x20 && first != '\t' && first != '\n') || first == 0x7F) {
      shown += "\\x" + in_hex(first, 2);
    } else {
      shown += text[at];
    }
  }
  return shown;
}

}  // namespace sim
