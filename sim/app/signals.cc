#include "app/signals.h"

#include <csignal>

namespace sim::app {
namespace {

volatile std::sig_atomic_t signal_received = 0;

void note_signal(int signal) {
  signal_received = signal;
}

}  // namespace

void listen_to_signals() {
  std::signal(SIGINT, note_signal);
  std::signal(SIGTERM, note_signal);
}

int interrupted_by() {
  return signal_received;
}

}  // namespace sim::app
