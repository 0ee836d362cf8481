/* The smallest useful program: what fork+exec+wait starts. */
int main(void) { return 0; }
