// std::thread, atomics, futures and what goes with them. Prints what came out, the same every time.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static constexpr int kThreads = 64;

template <typename Body> static void together(Body body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; i++)
        threads.emplace_back(body, i);
    for (auto &thread : threads)
        thread.join();
}

static long fibonacci(int n) {
    if (n < 12)
        return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
    auto left = std::async(std::launch::async, fibonacci, n - 1);
    return fibonacci(n - 2) + left.get();
}

int main() {
    std::atomic<long> sum{0};
    std::atomic<long> most{0};
    together([&](int i) {
        for (int k = 0; k < 200; k++) {
            sum.fetch_add(i, std::memory_order_relaxed);
            long seen = most.load();
            while (seen < i * k && !most.compare_exchange_weak(seen, i * k)) {
            }
        }
    });
    std::printf("atomics %ld %ld\n", sum.load(), most.load());

    // A word of 16 bytes, a spin lock, and atomic waits.
    struct Pair {
        long first, second;
    };
    static std::atomic_flag flag = ATOMIC_FLAG_INIT;
    Pair pair{0, 0};
    std::atomic<int> turn{0};
    together([&](int i) {
        for (int k = 0; k < 20; k++) {
            while (flag.test_and_set(std::memory_order_acquire))
                std::this_thread::yield();
            pair.first++;
            pair.second = pair.first * 2;
            flag.clear(std::memory_order_release);
        }
        for (int seen = turn.load(); seen != i; seen = turn.load())
            turn.wait(seen);
        turn.store(i + 1);
        turn.notify_all();
    });
    std::printf("pair %ld %ld turn %d\n", pair.first, pair.second, turn.load());

    std::mutex mutex;
    std::condition_variable changed;
    std::vector<int> order;
    together([&](int i) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return static_cast<int>(order.size()) == kThreads - 1 - i; });
        order.push_back(i);
        changed.notify_all();
    });
    std::printf("order %d %d sorted %d\n", order.front(), order.back(), std::is_sorted(order.rbegin(), order.rend()));

    std::shared_mutex shared;
    std::vector<int> values;
    std::atomic<int> wrong{0};
    together([&](int i) {
        if (i % 4 == 0) {
            std::unique_lock lock(shared);
            for (int k = 0; k < 100; k++)
                values.push_back(i);
        } else {
            std::shared_lock lock(shared);
            if (values.size() % 100 != 0)
                wrong++;
        }
    });
    std::printf("values %zu sum %d wrong %d\n", values.size(), std::accumulate(values.begin(), values.end(), 0),
                wrong.load());

    std::printf("fibonacci %ld\n", fibonacci(16));
    std::promise<std::string> promise;
    auto future = promise.get_future();
    std::thread teller([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        promise.set_value("told");
    });
    bool ready = future.wait_for(std::chrono::seconds(100)) == std::future_status::ready;
    std::printf("ready %d %s\n", ready, future.get().c_str());
    teller.join();
    auto failing = std::async(std::launch::async, []() -> int { throw std::runtime_error("thrown in a thread"); });
    try {
        failing.get();
    } catch (const std::runtime_error &error) {
        std::printf("caught: %s\n", error.what());
    }
    thread_local int local = 5;
    std::atomic<int> locals{0};
    together([&](int i) { locals += local += i; });
    std::printf("locals %d %d\n", local, locals.load());
    std::once_flag once;
    std::atomic<int> ran{0};
    together([&](int) { std::call_once(once, [&] { ran++; }); });
    std::timed_mutex timed;
    std::lock_guard held(timed);
    bool taken = true;
    std::thread([&] { taken = timed.try_lock_for(std::chrono::milliseconds(3)); }).join();
    std::printf("once %d timed %d\n", ran.load(), taken);
    return 0;
}
