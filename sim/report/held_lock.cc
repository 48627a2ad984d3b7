#include "report/held_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace sim::report {

HeldLock::HeldLock(const std::filesystem::path& folder, Wait wait)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) return;
  while (::flock(descriptor_, wait == Wait::yes ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    ::close(std::exchange(descriptor_, -1));
    return;
  }
}

HeldLock::~HeldLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace sim::report
