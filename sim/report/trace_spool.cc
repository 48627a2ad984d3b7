#include "report/trace_spool.h"

#include <cerrno>
#include <cstring>
#include <vector>

namespace sim::report {

TraceSpool::~TraceSpool() {
  if (file_ != nullptr) std::fclose(file_);
}

void TraceSpool::note_error() {
  if (error_ == 0) error_ = errno == 0 ? EIO : errno;
}

void TraceSpool::write(std::string_view bytes) {
  if (error_ != 0) return;
  memory_ += bytes;
  if (memory_.size() >= kInMemory) spill();
}

void TraceSpool::spill() {
  if (file_ == nullptr) file_ = std::tmpfile();
  if (file_ == nullptr || std::fwrite(memory_.data(), 1, memory_.size(), file_) != memory_.size())
    note_error();
  memory_.clear();
}

std::optional<Problem> TraceSpool::copy_to(trace::Sink& sink) {
  if (file_ != nullptr && error_ == 0) {
    std::vector<char> chunk(1024 * 1024);
    if (std::fflush(file_) != 0 || std::fseek(file_, 0, SEEK_SET) != 0) note_error();
    while (error_ == 0) {
      const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), file_);
      if (size == 0) break;
      sink.write(std::string_view(chunk.data(), size));
    }
    if (std::ferror(file_) != 0) note_error();
  }
  if (error_ == 0) {
    sink.write(memory_);
    return std::nullopt;
  }
  Problem problem;
  problem.message =
      std::string("the lines of the trace cannot be kept in a temporary file: ") + std::strerror(error_);
  problem.hint = "play without --trace, or make room under /tmp";
  return problem;
}

}  // namespace sim::report
