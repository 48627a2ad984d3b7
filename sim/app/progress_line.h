#pragma once

#include <chrono>
#include <cstdint>

#include "play/play.h"

// One line on a terminal's stderr that tells how far a run has come, rewritten in place:
// 62 % · sim 74.4/120 s · 1 840x real time · 3.1 M events/s · ETA 4 s
namespace sim::app {

class ProgressLine final : public play::ProgressListener {
 public:
  ~ProgressLine() override { clear(); }
  void on(const play::Progress& progress) override;
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point started_ = Clock::now();
  Clock::time_point shown_ = started_;
  bool visible_ = false;
};

}  // namespace sim::app
