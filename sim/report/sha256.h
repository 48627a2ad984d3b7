#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sha256_ctx;

namespace sim::report {

// SHA-256 (FIPS 180-4) of bytes as they come; the work is nettle's.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view bytes);
  // In lower-case hexadecimal; starts anew.
  std::string finish();

  static std::string of(std::string_view bytes);

 private:
  std::unique_ptr<sha256_ctx> context_;
};

}  // namespace sim::report
