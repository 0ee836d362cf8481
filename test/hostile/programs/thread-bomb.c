/* Threads that make threads. */
#include <pthread.h>
#include <unistd.h>
static void *work(void *unused) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (;;) {
        pthread_t thread;
        pthread_create(&thread, &small, work, unused);
    }
    return NULL;
}
int main(void) {
    write(1, "started\n", 8);
    work(NULL);
}
