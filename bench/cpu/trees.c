/* Building and walking binary trees: malloc and free. */
#include <stdio.h>
#include <stdlib.h>
struct node { struct node *left, *right; };
static struct node *build(int depth) {
    struct node *n = malloc(sizeof *n);
    n->left = depth > 0 ? build(depth - 1) : 0;
    n->right = depth > 0 ? build(depth - 1) : 0;
    return n;
}
static int count(struct node *n) { return n->left ? 1 + count(n->left) + count(n->right) : 1; }
static void drop(struct node *n) {
    if (n->left) { drop(n->left); drop(n->right); }
    free(n);
}
int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 60;
    int total = 0;
    for (int r = 0; r < rounds; r++) {
        struct node *t = build(15);
        total += count(t);
        drop(t);
    }
    printf("%d\n", total);
}
